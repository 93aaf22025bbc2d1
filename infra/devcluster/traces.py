"""What components leave outside of the state directory, and its removal.

Some paths are fixed in the components' sources. A directory of these that was
not there before the cluster goes as a whole; in one that was, only what is
recognisably ours goes, as it may serve another container runtime.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from devcluster.layout import Layout
from devcluster.settings import BRIDGE

_SHIM_SOCKETS = Path("/run/containerd/s")
_LOGS = Path("/var/log/containers")
_NETWORKS = Path("/var/lib/cni/results")
_CGROUPS = Path("/sys/fs/cgroup")
_POD_CGROUP = "k8s.io"

DIRECTORIES = (
    Path("/run/containerd"),
    Path("/run/mount"),
    Path("/var/lib/cni"),
    Path("/var/lib/kubelet"),
    Path("/var/log/containers"),
)


def remove(layout: Layout, absent_before: Collection[Path]) -> None:
    """Remove directories that were not there before, and our entries in the others."""
    for entry in (*_our_logs(layout.state), *_our_networks(), *_our_sockets(layout)):
        entry.unlink(missing_ok=True)
    for directory in absent_before:
        shutil.rmtree(directory, ignore_errors=True)


def remove_cgroups() -> None:
    """Remove the control groups of pods, the innermost first; one in use refuses to go."""
    for hierarchy in (_CGROUPS, *filter(Path.is_dir, _CGROUPS.iterdir())):
        for directory, _, _ in os.walk(hierarchy / _POD_CGROUP, topdown=False):
            with suppress(OSError):
                Path(directory).rmdir()


def _entries(directory: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from directory.iterdir()


def _our_logs(state: Path) -> list[Path]:
    return [p for p in _entries(_LOGS) if p.is_symlink() and p.readlink().is_relative_to(state)]


def _our_networks() -> list[Path]:
    """List the cached results of our network, and the loopbacks of the same containers."""
    owners, results = set(), {}
    for path in _entries(_NETWORKS):
        with suppress(OSError, ValueError, KeyError):
            result = json.loads(path.read_text())
            results[path] = result["containerId"]
            if result["networkName"] == BRIDGE:
                owners.add(result["containerId"])
    return [path for path, container in results.items() if container in owners]


def _our_sockets(layout: Layout) -> list[Path]:
    """List the sockets of shims that ended without removing them."""
    found = []
    for address in (layout.state / "containerd" / "state").rglob("address"):
        with suppress(OSError):
            socket = Path(address.read_text().strip().removeprefix("unix://"))
            if socket.is_relative_to(_SHIM_SOCKETS):
                found.append(socket)
    return found
