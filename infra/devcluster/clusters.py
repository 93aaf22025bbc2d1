"""Which cluster there is, for programs that use one.

A started cluster is described by one file in the state directory; tests and
tools read it and need not know how the cluster came to be.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

from devcluster.errors import ClusterError
from devcluster.layout import Layout

Kind = Literal["source", "kind", "existing"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Describe a running cluster."""

    kind: Kind
    kubeconfig: Path
    gateway_url: str
    audit_log: Path | None
    bin_dir: Path | None
    state_dir: Path

    def environment(self, path: str) -> dict[str, str]:
        """Return the variables that programs of this cluster need, on top of a PATH."""
        variables = {"KUBECONFIG": str(self.kubeconfig), "GATEWAY_URL": self.gateway_url}
        if self.bin_dir is not None:
            variables["PATH"] = f"{self.bin_dir}:{path}"
        if self.audit_log is not None:
            variables["AUDIT_LOG"] = str(self.audit_log)
        return variables


def save(cluster: Cluster, layout: Layout) -> None:
    """Write the description down, whole or not at all."""
    layout.state.mkdir(parents=True, exist_ok=True)
    fresh = layout.description.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(cluster), default=str, indent=2) + "\n")
    fresh.rename(layout.description)


def load(layout: Layout) -> Cluster | None:
    """Read the description; None where no cluster was started."""
    try:
        found = json.loads(layout.description.read_text())
    except FileNotFoundError:
        return None

    def optional(name: str) -> Path | None:
        return Path(found[name]) if found[name] else None

    return Cluster(
        kind=cast("Kind", found["kind"]),
        kubeconfig=Path(found["kubeconfig"]),
        gateway_url=found["gateway_url"],
        audit_log=optional("audit_log"),
        bin_dir=optional("bin_dir"),
        state_dir=Path(found["state_dir"]),
    )


def required(layout: Layout) -> Cluster:
    """Read the description; raise where no cluster was started."""
    cluster = load(layout)
    if cluster is None:
        raise ClusterError("no cluster is up: run `make cluster-up`")
    return cluster
