"""Operators on a real API server, and namespaces for their canaries."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from kubernetes import client, config

from integration.api.canaries import Canaries
from integration.api.conftest import install_crd
from integration.engine.replicas import Replica, running
from proving.api import Api


@contextmanager
def namespace(api_client: client.ApiClient) -> Iterator[Canaries]:
    """Make a namespace for as long as the block lasts."""
    core = client.CoreV1Api(api_client)
    name = f"engine-{uuid.uuid4().hex[:8]}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield Canaries(client.CustomObjectsApi(api_client), name)
    core.delete_namespace(name)


class Start(Protocol):
    """Start a replica that ends with the test."""

    def __call__(self, *arguments: str, kubeconfig: Path | None = None) -> Replica:
        """Start it with these options."""


@pytest.fixture(scope="module")
def api_client(api: Path) -> Iterator[client.ApiClient]:
    """Give a client of the API server, with the CRD installed."""
    with config.new_client_from_config(str(api)) as opened:  # type: ignore[no-untyped-call]
        install_crd(opened)
        yield opened


@pytest.fixture
def server(api: Path, api_client: client.ApiClient) -> Iterator[Api]:
    """Give a client of the API server that takes plain objects; the CRD is there."""
    opened = Api.from_kubeconfig(api)
    yield opened
    opened.close()


@pytest.fixture
def canaries(api_client: client.ApiClient) -> Iterator[Canaries]:
    """Give a namespace of the test's own."""
    with namespace(api_client) as found:
        yield found


@pytest.fixture
def others(api_client: client.ApiClient) -> Iterator[Canaries]:
    """Give another namespace."""
    with namespace(api_client) as found:
        yield found


@pytest.fixture
def start(api: Path, tmp_path: Path) -> Iterator[Start]:
    """Give the function that starts replicas."""
    with ExitStack() as ends:

        def begin(*arguments: str, kubeconfig: Path | None = None) -> Replica:
            log = tmp_path / f"operator-{uuid.uuid4().hex[:8]}.log"
            return ends.enter_context(running(*arguments, kubeconfig=kubeconfig or api, log=log))

        yield begin
