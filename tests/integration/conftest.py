"""The API server that integration tests talk to.

One of their own, without nodes, where the cluster's build is at hand: nobody else writes to it.
Otherwise the cluster of ``make cluster-up`` (kind). A kubeconfig that merely lies about is never
used; the tests install a CRD.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import clusters
from devcluster.layout import default_layout
from integration.apiserver import api_server, find_binary

NONE = "no API server: build or start one with `make cluster-build` or `make cluster-up`"


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the kubeconfig of an API server whose administrator the tests are."""
    binary = find_binary()
    if binary is not None:
        with api_server(binary, tmp_path_factory.mktemp("apiserver")) as kubeconfig:
            yield kubeconfig
        return
    cluster = clusters.load(default_layout())
    if cluster is None:
        pytest.fail(NONE)
    yield cluster.kubeconfig


@pytest.fixture(scope="session")
def kubectl(api: Path) -> tuple[str, ...]:
    """Give the beginning of a kubectl command that speaks to the API server."""
    binary = find_binary()
    program = (str(binary), "kubectl") if binary is not None else ("kubectl",)
    return (*program, f"--kubeconfig={api}")
