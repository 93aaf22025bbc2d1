"""Put a key on the queue for every event of a GatewayCanary; log in as the client does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kopf

from gatewaycanary.kube.connection import Connection
from gatewaycanary.kube.resources import GATEWAY_CANARY

Enqueue = Callable[[str, str], None]


def registry(*, enqueue: Enqueue, connection: Connection) -> kopf.OperatorRegistry:
    """Register the watching and login handlers."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.event(
        GATEWAY_CANARY.group, GATEWAY_CANARY.version, GATEWAY_CANARY.plural, registry=handlers
    )
    async def changed(*, namespace: str | None, name: str | None, **_: Any) -> None:
        enqueue(namespace or "", name or "")

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_info(connection)

    return handlers


async def connection_info(connection: Connection) -> kopf.ConnectionInfo:
    """Say to kopf where the cluster is and who we are there."""
    scheme, _, token = (await connection.authorization() or "").partition(" ")
    return kopf.ConnectionInfo(
        server=connection.server,
        ca_path=connection.ca_path,
        insecure=connection.insecure,
        scheme=scheme or None,
        token=token or None,
        certificate_path=connection.certificate_path,
        private_key_path=connection.private_key_path,
        default_namespace=connection.namespace,
        proxy_url=connection.proxy,
    )
