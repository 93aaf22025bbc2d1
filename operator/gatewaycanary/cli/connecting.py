"""A client for commands that only read."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.connection import connect
from gatewaycanary.kube.limiter import Limiter
from gatewaycanary.kube.transport import Transport

QPS = 50.0
BURST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A client and the namespace that the user means."""

    client: Client
    namespace: str


@asynccontextmanager
async def reached(arguments: argparse.Namespace) -> AsyncIterator[Reach]:
    """Reach the cluster that the arguments or the environment name."""
    connection = await connect(kubeconfig=arguments.kubeconfig, context=arguments.context)
    transport = Transport(connection, limiter=Limiter(qps=QPS, burst=BURST))
    try:
        namespace = arguments.namespace or connection.namespace
        yield Reach(client=Client(transport), namespace=namespace)
    finally:
        await transport.close()
