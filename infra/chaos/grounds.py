"""The cluster that is disturbed, and a second API server that never is.

Histories are read from the second one: it keeps no cache, so that its watches go on from any
version that etcd has, and nothing is missed while the first one is away. Operators, kubelet,
controllers and data planes only know the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import devcluster
from chaos.plans import Plan
from demo.providers import PROVIDERS
from devcluster import Cluster, components, probes
from devcluster.components import Component
from devcluster.layout import default_layout
from devcluster.settings import API_URL
from proving import clusters
from proving.api import Api
from proving.helm import Helm
from proving.operators import ROOT, write_credentials

OUTPUT = ROOT / "build" / "chaos"
_OBSERVER_PORT = 6444
_OBSERVER = f"https://127.0.0.1:{_OBSERVER_PORT}"
PATIENT = 120
"""Seconds of the node's silence that no outage of the API server lasts: it takes no pods along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A cluster to be disturbed. ``api`` and ``kubeconfig`` lead to the second API server."""

    cluster: Cluster
    api: Api
    kubeconfig: Path
    credentials: Path
    logs: Path

    def helm(self, namespace: str) -> Helm:
        """Give helm for one namespace."""
        return replace(clusters.helm_of(self.cluster, namespace), kubeconfig=self.kubeconfig)


def controllers(*, node_grace: int) -> Component:
    """Give the controller manager, which takes a node for lost after so many seconds of silence."""
    found = devcluster.component("kube-controller-manager")
    return replace(found, argv=(*found.argv, f"--node-monitor-grace-period={node_grace}s"))


@contextmanager
def prepared(plans: list[Plan]) -> Iterator[Ground]:
    """Bring the cluster up with what the plans need; whoever isolated it takes it down."""
    addons = {each for plan in plans for each in PROVIDERS[plan.provider].addons}
    cluster = clusters.bring_up(sorted(addons))
    controllers(node_grace=PATIENT).start()
    observer = _observer()
    observer.start()
    kubeconfig = observer.layout.state / "observer.kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig.read_text().replace(API_URL, _OBSERVER))
    api = Api.from_kubeconfig(kubeconfig)
    clusters.install_operator(cluster, api)
    credentials = observer.layout.state / "operator.kubeconfig"
    write_credentials(Api.from_kubeconfig(cluster.kubeconfig), credentials)
    logs = OUTPUT / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    try:
        yield Ground(
            cluster=cluster, api=api, kubeconfig=kubeconfig, credentials=credentials, logs=logs
        )
    finally:
        api.close()


def _observer() -> Component:
    first = components.named(default_layout(), "kube-apiserver")
    kept = [
        each
        for each in first.argv
        if not each.startswith(("--secure-port=", "--audit-", "--bind-address="))
    ]
    more = (
        f"--secure-port={_OBSERVER_PORT}",
        "--bind-address=127.0.0.1",
        "--watch-cache=false",
        "--endpoint-reconciler-type=none",
    )
    return replace(
        first,
        name="kube-apiserver-observer",
        argv=(*kept, *more),
        ready=probes.http(f"{_OBSERVER}/readyz"),
    )
