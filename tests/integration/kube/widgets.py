"""A custom resource of the tests' own, which comes and goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import NotFoundError
from gatewaycanary.kube.resources import Object, Resource

CRD = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
WIDGET = Resource("kube-tests.soma.dev", "v1", "widgets", "Widget")


@asynccontextmanager
async def installed(client: Client, namespace: str) -> AsyncIterator[None]:
    """Install the CRD and make one widget, `w`; uninstall it after the block."""
    await client.create(CRD, _definition())
    try:
        async with asyncio.timeout(20):
            await _make_widget(client, namespace)
        yield
    finally:
        await client.delete(CRD, name=_definition()["metadata"]["name"])
        async with asyncio.timeout(20):
            await _gone(client)


def _definition() -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": WIDGET.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "metadata": {"name": f"{WIDGET.plural}.{WIDGET.group}"},
        "spec": {
            "group": WIDGET.group,
            "names": {"plural": WIDGET.plural, "kind": WIDGET.kind},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


async def _make_widget(client: Client, namespace: str) -> None:
    body = {"apiVersion": WIDGET.api_version, "kind": WIDGET.kind, "metadata": {"name": "w"}}
    while True:
        try:
            await client.create(WIDGET, body, namespace=namespace)
        except NotFoundError:
            # A CRD is served a moment after it was stored, and nothing tells when.
            await asyncio.sleep(0.05)
        else:
            return


async def _gone(client: Client) -> None:
    while True:
        try:
            await client.get(CRD, name=_definition()["metadata"]["name"])
        except NotFoundError:
            return
        await asyncio.sleep(0.05)
