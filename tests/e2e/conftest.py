"""The cluster, one scene a scenario, and the judgement that follows every run.

The workers of pytest-xdist share one cluster and each sets up what it finds missing; every
scenario has a namespace, an operator process, a history and a stream of requests of its own, so
that scenarios run side by side and an operator may be killed in one without a word in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import devcluster
from devcluster import Cluster
from devcluster.locks import held
from e2e.providers import NGINX, Provider
from e2e.scenes import Scene
from proving import clusters
from proving.api import Api
from proving.operators import write_credentials

Once = Callable[[str, Callable[[], object]], None]


@pytest.fixture(scope="session")
def once(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Give a way to do something in one worker of this run while the others wait for it."""
    shared = tmp_path_factory.getbasetemp().parent

    def do(what: str, action: Callable[[], object]) -> None:
        done = shared / f"{what}-{testrun_uid}"
        with held(shared / f"{what}.lock", what):
            if not done.exists():
                action()
                done.touch()

    return do


@pytest.fixture(scope="session")
def cluster(once: Once) -> Cluster:
    """Give the running cluster, started or repaired if need be."""
    once("cluster-up", lambda: clusters.bring_up(clusters.possible_addons()))
    return devcluster.current()


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[Api]:
    """Give a client of the cluster with an administrator's rights."""
    made = Api.from_kubeconfig(cluster.kubeconfig)
    yield made
    made.close()


@pytest.fixture(scope="session")
def credentials(
    cluster: Cluster,
    api: Api,
    once: Once,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Install the CRD and the operator's rights; give a kubeconfig that has just those."""

    def install() -> None:
        clusters.install_operator(cluster, api)
        clusters.sweep(api)

    once("install", install)
    path = tmp_path_factory.mktemp("operator") / "kubeconfig"
    write_credentials(api, path)
    return path


@pytest.fixture
def provider() -> Provider:
    """Give the way of splitting traffic; a test that is for others too is parametrised by it."""
    return NGINX


@pytest.fixture
def scene(
    cluster: Cluster, api: Api, credentials: Path, tmp_path: Path, provider: Provider
) -> Iterator[Scene]:
    """Give a scenario its scene; judge at its end what was stored and what was answered."""
    if provider.name not in cluster.gateway_urls and cluster.kind != "source":
        pytest.skip(f"a cluster of kind {cluster.kind} has no data plane of {provider.name}")
    made = Scene(
        cluster=cluster, api=api, credentials=credentials, folder=tmp_path, provider=provider
    )
    try:
        yield made
        made.judge()
    finally:
        made.strike()
