"""A real PostgreSQL and a real Redis of a test's own, on free ports of 127.0.0.1.

PostgreSQL refuses to run as root, so there it runs as `nobody`. Both die with the process that
starts them, however it dies, and keep nothing that is to last.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devcluster import packages
from devcluster.progress import Progress
from devcluster.waiting import wait_until

READY_WITHIN = 30.0
PASSWORD = "never-to-be-logged"


class Postgres(packages.Tool):
    """PostgreSQL's server, which the distribution keeps off the path, a folder a version."""

    def present(self) -> bool:
        """Tell whether any version is there; a client's folder is none."""
        return bool(_versions())


def _versions() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return sorted((each.parent for each in found), key=lambda each: int(each.parent.name))


SERVERS = (Postgres("postgres", "postgresql"), packages.Tool("redis-server", "redis-server"))
_NEW = ("-U", "soma", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB")


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


def is_open(port: int) -> bool:
    """Tell whether somebody listens."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def install() -> None:
    """Install what is missing of the distribution's servers."""
    packages.ensure(SERVERS, Progress([]))


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL; give the URL of its empty database, with a password in it."""
    programs, port = _versions()[-1], free_port()
    home = Path(tempfile.mkdtemp(prefix="soma-postgres-"))
    prefix = _unprivileged(home)
    try:
        making = [*prefix, str(programs / "initdb"), "-D", str(home / "data"), *_NEW]
        subprocess.run(making, check=True, capture_output=True, cwd=home)
        settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={home}"]
        options = [each for one in (*_QUICK, *settings) for each in ("-c", one)]
        argv = [*prefix, str(programs / "postgres"), "-D", str(home / "data"), *options]
        asking = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        with _running(argv, home / "postgres.log", asking=asking, cwd=home):
            yield f"postgresql://soma:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(home)


class Redis:
    """A Redis that keeps nothing, so that its end is a loss of all streams."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty."""
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", "/tmp"]
        argv = ["setpriv", "--pdeathsig", "KILL", "redis-server", *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        assert wait_until(lambda: is_open(self.port), READY_WITHIN, interval=0.02)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _unprivileged(home: Path) -> list[str]:
    """Give the beginning of a command that runs as somebody else, who owns the folder."""
    dying = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() != 0:
        return dying
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return [*dying, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


@contextmanager
def _running(argv: list[str], log: Path, *, asking: list[str], cwd: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out, cwd=cwd)
    try:
        ready = wait_until(
            # It listens before it lets anybody in.
            lambda: process.poll() is not None or subprocess.call(asking) == 0,
            READY_WITHIN,
            interval=0.05,
        )
        if not ready or process.poll() is not None:
            raise RuntimeError(f"no server:\n{log.read_text()}")
        yield
    finally:
        # SIGQUIT ends the children too, and waits for no client.
        process.send_signal(3)
        process.wait()
