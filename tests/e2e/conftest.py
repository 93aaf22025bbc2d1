"""The cluster, one scene a scenario, and the judgement that follows every run.

The workers of pytest-xdist share one cluster and each sets up what it finds missing; every
scenario has a namespace, an operator process, a history and a stream of requests of its own, so
that scenarios run side by side and an operator may be killed in one without a word in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import Cluster
from devcluster.locks import held
from e2e.scenes import Scene
from proving import clusters
from proving.api import Api
from proving.operators import write_credentials


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """Give the running cluster; bring one up where there is none."""
    return clusters.bring_up()


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[Api]:
    """Give a client of the cluster with an administrator's rights."""
    made = Api.from_kubeconfig(cluster.kubeconfig)
    yield made
    made.close()


@pytest.fixture(scope="session")
def credentials(
    cluster: Cluster, api: Api, testrun_uid: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Install the CRD and the operator's rights; give a kubeconfig that has just those."""
    shared = tmp_path_factory.getbasetemp().parent
    done = shared / f"operator-installed-{testrun_uid}"
    with held(shared / "install.lock", "install the operator's rights"):
        if not done.exists():
            clusters.install_operator(cluster, api)
            clusters.sweep(api)
            done.touch()
    path = tmp_path_factory.mktemp("operator") / "kubeconfig"
    write_credentials(api, path)
    return path


@pytest.fixture
def scene(cluster: Cluster, api: Api, credentials: Path, tmp_path: Path) -> Iterator[Scene]:
    """Give a scenario its scene; judge at its end what was stored and what was answered."""
    made = Scene(cluster=cluster, api=api, credentials=credentials, folder=tmp_path)
    try:
        yield made
        made.judge()
    finally:
        made.strike()
