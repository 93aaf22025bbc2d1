"""One at a time: a file lock that says who holds it.

The kernel drops an flock when its holder dies, so a killed command never
leaves the cluster locked. The lock file may be removed by the holder (taking
the cluster down leaves nothing behind), hence the inode check: a lock on a
file that is no longer the one at the path protects nothing.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.waiting import wait_until


def _describe(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        age = time.time() - holder["since"]
        return (
            f"pid {holder['pid']} ({holder['command']} from {holder['checkout']}, for {age:.0f} s)"
        )
    except (OSError, ValueError, KeyError):
        return "another process that has only just taken it"


def _try(path: Path) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _sign(descriptor: int, command: str) -> None:
    checkout = str(Path(__file__).resolve().parents[2])
    holder = {"pid": os.getpid(), "command": command, "checkout": checkout, "since": time.time()}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _acquire(path: Path, patience: float) -> int:
    descriptor = _try(path)
    if descriptor is not None:
        return descriptor
    print(f"waiting for {path}, held by {_describe(path)}", file=sys.stderr, flush=True)
    found: list[int] = []

    def attempt() -> bool:
        descriptor = _try(path)
        if descriptor is not None:
            found.append(descriptor)
        return bool(found)

    if not wait_until(attempt, patience, interval=0.2):
        raise ClusterError(f"{path} is still held by {_describe(path)} after {patience:.0f} s")
    return found[0]


@contextmanager
def held(path: Path, command: str, patience: float = 1800.0) -> Iterator[None]:
    """Hold the lock at a path, waiting up to `patience` seconds for it."""
    descriptor = _acquire(path, patience)
    try:
        _sign(descriptor, command)
        yield
    finally:
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)
