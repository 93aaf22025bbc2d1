"""The operator as a process of this machine, with the rights that its chart gives it.

It signs in with a token of the chart's ServiceAccount: what it may not do in production it may
not do here, and the API server's audit log knows it by that name. The process dies with the
program that started it, whatever ends that program.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import SERVICE_ACCOUNT
from proving.api import Api
from proving.helm import Helm

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "gatewaycanary"
CRD = ROOT / "crds" / "gatewaycanaries.canary.soma.dev.yaml"
SYSTEM = "gatewaycanary-system"
ACCOUNT = "gatewaycanary"


class OperatorError(Exception):
    """Raised when the operator does not start or does not end."""


def install_rights(helm: Helm) -> None:
    """Install the operator's chart without its Deployment: account, roles, bindings, CRD."""
    helm.install("gatewaycanary", CHART, {"replicas": 0}, "--create-namespace", "--skip-crds")


def write_credentials(api: Api, path: Path, *, hours: int = 8) -> None:
    """Write a kubeconfig that signs in as the operator's ServiceAccount."""
    request = {"spec": {"expirationSeconds": hours * 3600}}
    address = SERVICE_ACCOUNT.path(namespace=SYSTEM, name=ACCOUNT, subresource="token")
    token = api.request("POST", address, request)["status"]["token"]
    authority = b64encode(api.authority).decode()
    cluster = {"server": api.server, "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": ACCOUNT, "user": {"token": token}}],
        "contexts": [{"name": ACCOUNT, "context": {"cluster": "cluster", "user": ACCOUNT}}],
        "current-context": ACCOUNT,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))


class Operator:
    """One operator process; it may be killed and started again.

    ``module`` is what runs: the operator, or what runs it. Where it ``elects``, a successor waits
    until the Lease of a killed one has run out.
    """

    def __init__(
        self, *, kubeconfig: Path, namespace: str, log: Path, module: str = "gatewaycanary"
    ) -> None:
        self.log = log
        self._module = module
        self.elects = True
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None
        self._probe_port = self._metrics_port = 0

    @property
    def pid(self) -> int:
        """Give the running process's id, or 0."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start the process; `await_ready` tells when it works."""
        self._probe_port, self._metrics_port = _free_port(), _free_port()
        command = [
            *("setpriv", "--pdeathsig", "KILL", sys.executable, "-m", self._module, "run"),
            *("--kubeconfig", str(self._kubeconfig), "--namespace", self._namespace),
            *("--metrics-port", str(self._metrics_port), "--probe-port", str(self._probe_port)),
            *("--lease-namespace", SYSTEM, "--lease-name", self._namespace),
            "--leader-elect" if self.elects else "--no-leader-elect",
        ]
        places = (str(ROOT / "operator"), str(ROOT / "infra"), os.environ.get("PYTHONPATH", ""))
        source = os.pathsep.join(places)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": source},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def await_ready(self, timeout: float = 60.0) -> None:
        """Wait until the readiness probe answers well."""
        if not wait_until(lambda: self.has_ended() or self._answers(), timeout) or self.has_ended():
            raise OperatorError(f"the operator did not become ready; its log: {self.log}")

    def metrics(self) -> str:
        """Scrape the operator, as Prometheus does."""
        url = f"http://127.0.0.1:{self._metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as response:
            return str(response.read().decode())

    def await_metrics(self, condition: Callable[[str], bool], timeout: float = 15.0) -> None:
        """Scrape until the metrics are as wanted."""
        if not wait_until(lambda: condition(self.metrics()), timeout):
            raise OperatorError("the metrics do not become as wanted")

    def has_ended(self) -> bool:
        """Tell whether no process runs, whoever ended it."""
        return self._process is None or self._process.poll() is not None

    def await_end(self) -> None:
        """Wait until the process has ended, by itself or by a signal."""
        if self._process is not None:
            self._process.wait()

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the process to end, and expect that it does so without complaint."""
        code = self._end(signal.SIGTERM)
        # A process that is still starting has no handler for the signal yet.
        if code not in {0, -signal.SIGTERM}:
            raise OperatorError(f"the operator ended with exit code {code}; its log: {self.log}")

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait(20)

    def _answers(self) -> bool:
        url = f"http://127.0.0.1:{self._probe_port}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
