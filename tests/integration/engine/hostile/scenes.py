"""A gateway in a namespace of its own, all ready as if controllers were there, and its canary."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gatewaycanary.api.crd import GROUP, KIND, VERSION
from gatewaycanary.kube.resources import ENDPOINT_SLICE, GATEWAY_CANARY, INGRESS, Object
from integration.engine.test_provider_installed import gateway
from proving.api import NAMESPACE, Api

SPEC: Mapping[str, Any] = {
    "targetRef": {"name": "gateway"},
    "image": "example/gateway:2",
    "traffic": {"nginx": {"ingress": "gateway"}, "settle": "0s"},
    "steps": [{"weight": 100}],
}
TESTED: Mapping[str, Any] = {**SPEC, "tests": [{"helm": {"release": "shop"}, "timeout": "20s"}]}


def ingress() -> Object:
    """Give the gateway's Ingress."""
    backend = {"service": {"name": "gateway", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": "shop.example", "http": {"paths": [path]}}]
    return {"metadata": {"name": "gateway"}, "spec": {"ingressClassName": "nginx", "rules": rules}}


def ready_canary() -> Object:
    """Give an endpoint for the canary's Service, there before the Service is."""
    return {
        "metadata": {
            "name": "gateway-canary-1",
            "labels": {"kubernetes.io/service-name": "gateway-canary"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.2"], "conditions": {"ready": True}}],
        "ports": [{"port": 80}],
    }


@contextmanager
def place(server: Api) -> Iterator[str]:
    """Make a namespace with a gateway for as long as the block lasts."""
    name = f"hostile-{uuid.uuid4().hex[:8]}"
    server.create(NAMESPACE, {"metadata": {"name": name}})
    gateway(server, name)
    server.create(INGRESS, ingress(), name)
    server.create(ENDPOINT_SLICE, ready_canary(), name)
    try:
        yield name
    finally:
        _forget(server, name)
        server.delete(NAMESPACE, name)


def _forget(server: Api, namespace: str) -> None:
    """Take the canaries away: a namespace stays where no controllers run, and all in it."""
    for one in server.list(GATEWAY_CANARY, namespace)["items"]:
        name = one["metadata"]["name"]
        server.merge(GATEWAY_CANARY, name, {"metadata": {"finalizers": None}}, namespace)
        server.delete(GATEWAY_CANARY, name, namespace)


def canary(server: Api, namespace: str, spec: Mapping[str, Any], *, name: str = "gateway") -> None:
    """Create a canary."""
    body = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name},
        "spec": dict(spec),
    }
    server.create(GATEWAY_CANARY, body, namespace)


def status(server: Api, namespace: str, *, name: str = "gateway") -> Object:
    """Read a canary's status."""
    found: Object = server.get(GATEWAY_CANARY, name, namespace).get("status") or {}
    return found


def weight(server: Api, namespace: str) -> str:
    """Read the weight of the canary's Ingress; empty where there is none."""
    found = server.find(INGRESS, "gateway-canary", namespace) or {"metadata": {}}
    annotations = found["metadata"].get("annotations") or {}
    return str(annotations.get("nginx.ingress.kubernetes.io/canary-weight", ""))
