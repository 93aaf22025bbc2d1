"""A real API server without nodes, for tests of what it stores, refuses and tells.

etcd and kube-apiserver come from the cluster's own build, listen on free ports of 127.0.0.1 and
keep everything in one directory. They die with the process that starts them, however it dies.
No controllers run: a namespace that is deleted stays, and nobody but the test writes a status.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from devcluster import certificates
from devcluster.layout import default_layout
from devcluster.recipes import KUBERNETES_BUILD
from devcluster.waiting import wait_until

READY_WITHIN = 60.0


def find_binary() -> Path | None:
    """Find the multi-call binary of a cluster that runs or was built."""
    homes = (default_layout().bin / "kube-apiserver", KUBERNETES_BUILD.home() / "kubernetes")
    return next((path.resolve() for path in homes if path.exists()), None)


@contextmanager
def api_server(binary: Path, home: Path) -> Iterator[Path]:
    """Run an API server below a directory; give its administrator's kubeconfig."""
    pki = home / "pki"
    certificates.ensure(pki)
    port, etcd_port, peer_port = _free_ports(3)
    with ExitStack() as running:
        etcd = f"http://127.0.0.1:{etcd_port}"
        options = _etcd_options(home, client=etcd, peer=f"http://127.0.0.1:{peer_port}")
        running.enter_context(_running(binary, "etcd", options=options, home=home))
        options = _apiserver_options(pki, port=port, etcd=etcd)
        process = running.enter_context(
            _running(binary, "kube-apiserver", options=options, home=home)
        )
        ready = wait_until(
            lambda: process.poll() is not None or _is_ready(pki, port), READY_WITHIN, interval=0.1
        )
        if not ready or process.poll() is not None:
            raise RuntimeError(f"no API server:\n{_tail(home / 'kube-apiserver.log')}")
        yield _kubeconfig(home, pki=pki, port=port)


def _etcd_options(home: Path, *, client: str, peer: str) -> Mapping[str, object]:
    return {
        "name": "test",
        "data-dir": home / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"test={peer}",
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }


def _apiserver_options(pki: Path, *, port: int, etcd: str) -> Mapping[str, object]:
    return {
        "etcd-servers": etcd,
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "authorization-mode": "RBAC",
        # Without controllers nobody makes the accounts that it would wait for.
        "disable-admission-plugins": "ServiceAccount",
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.96.0.0/24",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-accounts.key",
        "service-account-signing-key-file": pki / "service-accounts.key",
    }


@contextmanager
def _running(
    binary: Path, program: str, *, options: Mapping[str, object], home: Path
) -> Iterator[subprocess.Popen[bytes]]:
    flags = [f"--{key}={value}" for key, value in options.items()]
    argv = ["setpriv", "--pdeathsig", "KILL", str(binary), program, *flags]
    with (home / f"{program}.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            # Nothing in it is to be kept, so it need not end well.
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _is_ready(pki: Path, port: int) -> bool:
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    try:
        url = f"https://127.0.0.1:{port}/readyz"
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _kubeconfig(home: Path, *, pki: Path, port: int) -> Path:
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority": str(pki / "ca.crt"),
    }
    user = {
        "client-certificate": str(pki / "admin.crt"),
        "client-key": str(pki / "admin.key"),
    }
    text = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    path = home / "kubeconfig"
    path.write_text(json.dumps(text))
    return path


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
