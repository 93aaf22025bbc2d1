"""Taking the cluster from source down, from whatever state it is in.

Order is what makes it complete: first what would start things again (the
kubelet), then the containers through containerd, then everything else, then
what is mounted, then what the machine was given, last the files. Each step
does nothing where nothing is left, so a half-finished run is finished by the
next one; the state directory goes last, as it holds the records by which
processes are found.
"""

import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from devcluster import components, hosts, processes, traces
from devcluster.errors import ClusterError
from devcluster.layout import Layout
from devcluster.processes import Process
from devcluster.progress import Progress
from devcluster.waiting import wait_until

STAGES = ("stop the node", "stop the control plane", "clean up the machine")

_BEFORE_CONTAINERD = ("kubelet", "kube-controller-manager", "kube-scheduler")


def down(layout: Layout, progress: Progress) -> bool:
    """Take everything away but the builds; tell whether there was anything."""
    if not layout.state.exists():
        hosts.restore(layout)
        return False
    layout.ending.touch()
    parts = components.all_components(layout)
    with progress.stage(STAGES[0]):
        for name in _BEFORE_CONTAINERD:
            components.named(layout, name).stop()
        _end_containers(layout)
    with progress.stage(STAGES[1]):
        for part in reversed(parts):
            part.stop()
        _end_strays(layout)
    with progress.stage(STAGES[2]):
        _unmount(layout.state)
        hosts.restore(layout)
        traces.remove_cgroups()
        shutil.rmtree(layout.state)
    return True


def _end_containers(layout: Layout) -> None:
    runtime = components.named(layout, "containerd")
    if not (layout.etc / "containerd.toml").exists():
        return
    # A containerd that was killed has left its shims behind: started again, it finds them.
    try:
        runtime.start()
    except ClusterError:
        return
    client = ("ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io")

    def ended() -> bool:
        with suppress(ClusterError):
            tasks = hosts.run(*client, "tasks", "list", "--quiet").split()
            if not tasks:
                return True
            hosts.attempt(*client, "tasks", "delete", "--force", *tasks)
        return False

    wait_until(ended, 60.0)


def _end_strays(layout: Layout) -> None:
    """End shims that containerd lost: their arguments carry our socket's path."""
    mark = str(layout.containerd_socket).encode()
    for process in _running_with(mark):
        process.stop(grace=1.0)


def _running_with(argument: bytes) -> Iterable[Process]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
            if argument in arguments and (found := processes.observed(int(entry.name))):
                yield found


def mount_points(mountinfo: str, below: Path) -> list[Path]:
    """List the mount points below a directory, the last mounted first."""
    points = [
        Path(line.split()[4].encode().decode("unicode_escape")) for line in mountinfo.splitlines()
    ]
    return [point for point in reversed(points) if point.is_relative_to(below)]


def _unmount(below: Path) -> None:
    for point in mount_points(Path("/proc/self/mountinfo").read_text(), below):
        done = subprocess.run(["umount", str(point)], check=False, capture_output=True)
        if done.returncode != 0:
            hosts.run("umount", "--lazy", str(point))
