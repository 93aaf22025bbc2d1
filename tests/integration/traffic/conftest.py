"""A namespace of a real API server, with writes sent as the engine sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.connection import connect
from gatewaycanary.kube.limiter import Limiter
from gatewaycanary.kube.resources import Resource
from gatewaycanary.kube.transport import Transport
from integration.traffic.places import Place

NAMESPACE = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_numbers = count(1)


@pytest.fixture
async def place(api: Path) -> AsyncIterator[Place]:
    """Make a namespace of the test's own, and delete it after."""
    connection = await connect(kubeconfig=str(api))
    transport = Transport(connection, limiter=Limiter(qps=1000, burst=1000))
    client = Client(transport)
    made = await client.create(
        NAMESPACE, {"metadata": {"generateName": f"traffic-{next(_numbers)}-"}}
    )
    name = made["metadata"]["name"]
    yield Place(client=client, namespace=name)
    await client.delete(NAMESPACE, name=name)
    await transport.close()
