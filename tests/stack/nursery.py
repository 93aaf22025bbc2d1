"""A process that has imported everything, and forks roles from itself.

Each role is a process of its own all the same, but starts at once: most of what a role takes to
start is its imports. Commands come as lines of JSON on standard input, each answered by a line.
NB: nothing here may start a thread before the fork, nor touch gRPC beyond its import.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class Nursery:
    """The other end of that process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "stack.nursery"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, role: str, *, environment: dict[str, str], log: Path) -> int:
        """Start a role; give its process id."""
        return int(self._asked(["start", role, environment, str(log)]))

    def code(self, pid: int) -> int | None:
        """Give the exit code of a role, negative for a signal, or None while it runs."""
        code = self._asked(["code", pid])
        return None if code is None else int(code)

    def close(self) -> None:
        """End it; the roles end with it."""
        self._process.kill()
        self._process.communicate()

    def _asked(self, command: list[object]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _start(role: str, environment: dict[str, str], log: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(environment)
    sys.argv = ["soma", role]
    from soma.cli import main

    code = 1
    try:
        code = main([role])
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code(pid: int, ended: dict[int, int]) -> int | None:
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended.get(pid)


def main() -> None:
    """Serve commands until standard input ends."""
    import soma.cli  # noqa: F401 - what takes the time

    ended: dict[int, int] = {}
    for line in sys.stdin:
        match json.loads(line):
            case ["start", role, environment, log]:
                told: int | None = _start(role, environment, log)
            case ["code", pid]:
                told = _code(pid, ended)
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
