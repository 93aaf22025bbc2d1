"""Processes that outlive the command that starts them, known by pid and start time.

A pid alone is no name: the kernel reuses it. The pair (pid, start time) is
one, and that pair is what a record holds. The started process writes its own
record before it becomes the program, so that there is no moment at which it
runs and nobody knows it, whichever side is killed.

A record is two lines: the process's /proc stat line as it was before exec
(which keeps both pid and start time), and the digest of what it was started
with, by which a later command sees that the wanted arguments have changed.
"""

import hashlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.waiting import wait_until

_ENDED = frozenset("ZXx")

# $0 is the record, $1 the digest, the rest the program.
_RECORD_AND_RUN = (
    'ulimit -n "$(ulimit -Hn)"; { cat "/proc/$$/stat"; echo "$1"; } >"$0.new" '
    '&& mv "$0.new" "$0" && shift && exec "$@"'
)
_DETACH = 'log=$1; shift; setsid sh -c "$@" </dev/null >>"$log" 2>&1 &'


@dataclass(frozen=True, slots=True)
class Process:
    """Identify one process: its pid and its start, in clock ticks since boot."""

    pid: int
    started: int
    digest: str = ""

    def alive(self) -> bool:
        """Tell whether this very process still runs (a zombie does not)."""
        now = _stat(self.pid)
        return now is not None and now[1] == self.started and now[0] not in _ENDED

    def uptime(self) -> float:
        """Tell for how many seconds it has run."""
        boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return boot - self.started / os.sysconf("SC_CLK_TCK")

    def signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, grace: float = 10.0) -> None:
        """Ask the process to end, insist after `grace` seconds, and wait for it."""
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            self.signal(number)
            # A stopped process gets its signal only once it continues.
            self.signal(signal.SIGCONT)
            if self.wait(patience):
                return
        raise ClusterError(f"process {self.pid} does not end, not even by SIGKILL")

    def wait(self, timeout: float) -> bool:
        """Wait for the end of the process; tell whether it came."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            if self.alive():
                poller.poll(timeout * 1000)
        finally:
            os.close(descriptor)
        return not self.alive()


def parse_stat(line: str) -> tuple[int, str, int]:
    """Read pid, state letter and start time from a line of /proc/PID/stat."""
    # NB: the second field is the program's name in parentheses and may hold spaces and parentheses.
    head, _, tail = line.rpartition(")")
    fields = tail.split()
    return int(head.split("(", 1)[0]), fields[0], int(fields[19])


def _stat(pid: int) -> tuple[str, int] | None:
    try:
        _, state, started = parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (OSError, ValueError, IndexError):
        return None
    return state, started


def recorded(record: Path) -> Process | None:
    """Read a record; None where there is none that can be read."""
    try:
        stat, digest = record.read_text().splitlines()
        pid, _, started = parse_stat(stat)
    except (OSError, ValueError, IndexError):
        return None
    return Process(pid, started, digest)


def observed(pid: int) -> Process | None:
    """Identify the process that has this pid now."""
    now = _stat(pid)
    return None if now is None else Process(pid, now[1])


def digest_of(argv: Sequence[str], environment: Mapping[str, str], *inputs: bytes) -> str:
    """Digest everything that a program is started with."""
    text = "\0".join([*argv, "", *(f"{k}={v}" for k, v in sorted(environment.items()))])
    return hashlib.sha256(b"\0".join([text.encode(), *inputs])).hexdigest()[:16]


def spawn(
    argv: Sequence[str], environment: Mapping[str, str], record: Path, log: Path, digest: str
) -> Process:
    """Start a program in a session of its own, adopted by init, and record it."""
    record.unlink(missing_ok=True)
    for directory in (record.parent, log.parent):
        directory.mkdir(parents=True, exist_ok=True)
    detach = ["sh", "-c", _DETACH, "sh", str(log), _RECORD_AND_RUN, str(record), digest, *argv]
    subprocess.run(detach, env={**os.environ, **environment}, check=True)
    wait_until(record.exists, 10.0, interval=0.01)
    process = recorded(record)
    if process is None:
        raise ClusterError(f"{argv[0]} could not be started; see {log}")
    return process
