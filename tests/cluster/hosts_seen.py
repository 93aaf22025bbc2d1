"""What a cluster could leave on a machine, as a comparable picture."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_DIRECTORIES = ("/run", "/var/lib", "/var/log", "/opt", "/usr/libexec", "/etc/cni", "/dev/shm")
_SETTINGS = (
    "fs/inotify/max_user_instances",
    "fs/inotify/max_user_watches",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/bridge/bridge-nf-call-iptables",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold what was seen; equal pictures mean that nothing was left."""

    processes: frozenset[str]
    mounts: frozenset[str]
    namespaces: frozenset[str]
    links: frozenset[str]
    rules: str
    groups: frozenset[str]
    files: frozenset[str]
    settings: tuple[str, ...]


def _processes(state: Path) -> Iterator[str]:
    """Yield processes that carry the cluster's paths or run in a pod's control group."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            groups = (entry / "cgroup").read_text()
            if str(state) in line or "/k8s.io/" in groups or "containerd-shim" in line:
                yield f"{entry.name} {line}"


def _namespaces() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                yield str((entry / "ns" / "net").readlink())


def _files() -> Iterator[str]:
    for top in map(Path, _DIRECTORIES):
        for path in (*top.glob("*"), *top.glob("*/*")):
            yield str(path)


def _groups() -> Iterator[str]:
    top = Path("/sys/fs/cgroup")
    for path in (*top.glob("*"), *top.glob("*/*")):
        if path.is_dir():
            yield str(path)


def _setting(name: str) -> str:
    try:
        return f"{name}={(Path('/proc/sys') / name).read_text().strip()}"
    except OSError:
        return f"{name} is absent"


def look(state: Path) -> Picture:
    """Take a picture of the machine."""
    rules = subprocess.run(
        ["nft", "list", "ruleset"], check=True, capture_output=True, text=True
    ).stdout
    mountinfo = Path("/proc/self/mountinfo").read_text().splitlines()
    return Picture(
        processes=frozenset(_processes(state)),
        mounts=frozenset(line.split()[4] for line in mountinfo),
        namespaces=frozenset(_namespaces()),
        links=frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        rules=rules,
        groups=frozenset(_groups()),
        files=frozenset(_files()),
        settings=tuple(map(_setting, _SETTINGS)),
    )


def left(before: Picture, after: Picture) -> dict[str, object]:
    """Name what is there after and was not before, and what has another value."""
    found: dict[str, object] = {}
    for name in ("processes", "mounts", "namespaces", "links", "groups", "files"):
        more = getattr(after, name) - getattr(before, name)
        if more:
            found[name] = sorted(more)
    if before.rules != after.rules:
        found["rules"] = after.rules
    changed = sorted(set(after.settings) - set(before.settings))
    if changed:
        found["settings"] = changed
    return found
