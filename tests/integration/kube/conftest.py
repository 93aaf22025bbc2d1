"""A client on a real API server, and a namespace for each test."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.connection import connect
from gatewaycanary.kube.limiter import Limiter
from gatewaycanary.kube.resources import Resource
from gatewaycanary.kube.transport import Transport

NAMESPACE = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_numbers = count(1)


@pytest.fixture
async def client(api: Path) -> AsyncIterator[Client]:
    """Connect as the administrator."""
    connection = await connect(kubeconfig=str(api))
    transport = Transport(connection, limiter=Limiter(qps=1000, burst=1000))
    yield Client(transport)
    await transport.close()


@pytest.fixture
async def namespace(client: Client) -> AsyncIterator[str]:
    """Make a namespace of the test's own, and delete it after."""
    body = {"metadata": {"generateName": f"kube-{next(_numbers)}-"}}
    made = await client.create(NAMESPACE, body)
    yield made["metadata"]["name"]
    await client.delete(NAMESPACE, name=made["metadata"]["name"])
