"""The operator as its users start it: a process with probes, metrics, a log and an exit code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from devcluster.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


class Replica:
    """One running operator."""

    def __init__(self, *arguments: str, kubeconfig: Path, log: Path) -> None:
        self.probe_port, self.metrics_port = free_ports(2)
        self.log = log
        command = [
            *("setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "gatewaycanary", "run"),
            *("--kubeconfig", str(kubeconfig)),
            *("--probe-port", str(self.probe_port), "--metrics-port", str(self.metrics_port)),
            *arguments,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )

    def probe(self, path: str) -> int:
        """Ask a probe; 0 where nobody answers."""
        url = f"http://127.0.0.1:{self.probe_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def metrics(self) -> dict[str, float]:
        """Scrape the series."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def await_ready(self) -> None:
        """Wait until its caches are filled."""
        self.await_that(lambda: self.probe("/readyz") == 200, "it is not ready")

    def await_leading(self) -> None:
        """Wait until it leads."""
        self.await_ready()
        self.await_that(self.leads, "it does not lead")

    def leads(self) -> bool:
        """Tell whether it says that it leads."""
        return self.metrics()["gatewaycanary_leader"] == 1.0

    def await_that(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for a condition while it lives."""
        held = wait_until(lambda: self.process.poll() is not None or condition(), 30.0)
        assert held, f"{otherwise}\n{self.said()}"
        assert self.process.poll() is None, f"it has ended\n{self.said()}"

    def said(self) -> str:
        """Read its log."""
        return self.log.read_text()

    def stop(self) -> float:
        """Ask it to end, and give the seconds that it took."""
        began = monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return monotonic() - began


@contextmanager
def running(*arguments: str, kubeconfig: Path, log: Path) -> Iterator[Replica]:
    """Run a replica for as long as the block lasts."""
    replica = Replica(*arguments, kubeconfig=kubeconfig, log=log)
    try:
        yield replica
    finally:
        replica.process.kill()
        replica.process.wait(30)


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
