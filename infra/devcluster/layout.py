"""Where the cluster keeps its things.

All state of a running cluster is under one directory, so that removing it is
the last step of taking the cluster down. Builds are kept apart, in the user's
cache: they outlive clusters and checkouts.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Name every path below one state directory."""

    state: Path

    @property
    def lock(self) -> Path:
        """Name the lock, beside the state so that it outlives its removal."""
        return self.state.with_name(self.state.name + ".lock")

    @property
    def description(self) -> Path:
        """Name the file that tells other programs about the running cluster."""
        return self.state / "cluster.json"

    @property
    def host_before(self) -> Path:
        """Name the file that holds the kernel settings as they were found."""
        return self.state / "host.json"

    @property
    def kubeconfig(self) -> Path:
        """Name the administrator's kubeconfig."""
        return self.state / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Name the API server's audit log."""
        return self.state / "audit" / "audit.log"

    @property
    def bin(self) -> Path:
        """Name the directory of programs for people's PATH."""
        return self.state / "bin"

    @property
    def etc(self) -> Path:
        """Name the directory of written configuration."""
        return self.state / "etc"

    @property
    def pki(self) -> Path:
        """Name the directory of keys and certificates."""
        return self.state / "pki"

    @property
    def records(self) -> Path:
        """Name the directory of process records."""
        return self.state / "run"

    @property
    def addons(self) -> Path:
        """Name the directory of marks of enabled addons."""
        return self.state / "addons"

    @property
    def ending(self) -> Path:
        """Name the mark of a cluster that is being taken down."""
        return self.state / "ending"

    @property
    def logs(self) -> Path:
        """Name the directory of component logs."""
        return self.state / "logs"

    @property
    def containerd_socket(self) -> Path:
        """Name containerd's socket."""
        return self.state / "containerd" / "containerd.sock"

    def credentials(self, user: str) -> Path:
        """Name a component's kubeconfig."""
        return self.etc / f"{user}.kubeconfig"

    def log(self, component: str) -> Path:
        """Name a component's log."""
        return self.logs / f"{component}.log"


def state_directory() -> Path:
    """Find the state directory of this user's cluster."""
    chosen = os.environ.get("GATEWAYCANARY_CLUSTER_STATE")
    if chosen:
        return Path(chosen).resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/gatewaycanary-cluster")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "gatewaycanary-cluster"


def build_cache() -> Path:
    """Find the directory where builds are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gatewaycanary" / "builds"


def sources() -> Path:
    """Find the pinned inputs of the builds."""
    return Path(__file__).parent / "sources"


def default_layout() -> Layout:
    """Describe the state directory of this user's cluster."""
    return Layout(state_directory())
