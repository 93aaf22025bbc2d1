"""Gateway API, served by a Traefik of its own beside the one that serves Ingresses.

It is the same build on other ports: two providers in one process would share
an entry point, and a test that kills one gateway would end the other. An
HTTPRoute of any namespace names the Gateway gateway-system/traefik as its
parent to be served.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster import flags, objects, probes
from devcluster.addons import Addon, Builds
from devcluster.flags import Invocation
from devcluster.layout import Layout
from devcluster.recipes import GATEWAY_API_BUILD
from devcluster.settings import (
    GATEWAY_API,
    GATEWAY_API_ADMIN_PORT,
    GATEWAY_API_PORT,
    GATEWAY_API_URL,
    PROPAGATION,
)

NAME = "gateway-api"
NAMESPACE = "gateway-system"
GATEWAY = "traefik"

_LOOPBACK = "127.0.0.1"
_PROGRAM = "traefik-gateway-api"
_GROUP = "gateway.networking.k8s.io"
_KINDS = (
    "backendtlspolicies",
    "gatewayclasses",
    "gateways",
    "grpcroutes",
    "httproutes",
    "listenersets",
    "referencegrants",
    "tcproutes",
    "tlsroutes",
    "udproutes",
)


def _definitions(layout: Layout) -> Path:
    return layout.etc / "gateway-api-definitions.yaml"


def _links(layout: Layout, built: Builds) -> Mapping[Path, Path]:
    return {_definitions(layout): built[GATEWAY_API_BUILD.name] / "definitions.yaml"}


def _options() -> dict[str, object]:
    provider = "providers.kubernetesgateway"
    return {
        "entrypoints.web.address": f"{_LOOPBACK}:{GATEWAY_API_PORT}",
        "entrypoints.traefik.address": f"{_LOOPBACK}:{GATEWAY_API_ADMIN_PORT}",
        provider: "true",
        f"{provider}.throttleduration": PROPAGATION,
        f"{provider}.statusaddress.ip": _LOOPBACK,
        f"{provider}.qps": 500,
        f"{provider}.burst": 1000,
        **flags.TRAEFIK_COMMON,
    }


def _programs(layout: Layout) -> Mapping[str, Invocation]:
    invocation = Invocation(
        flags.argv(layout, "traefik", _options()),
        probes.http(f"http://{_LOOPBACK}:{GATEWAY_API_ADMIN_PORT}/ping"),
        environment={"KUBECONFIG": str(layout.credentials(_PROGRAM))},
        inputs=(_definitions(layout),),
    )
    return {_PROGRAM: invocation}


_RULES = [
    objects.rule("", ["services", "secrets", "configmaps", "namespaces", "nodes", "pods"]),
    objects.rule("discovery.k8s.io", ["endpointslices"]),
    objects.rule(_GROUP, _KINDS),
    objects.rule(_GROUP, [f"{kind}/status" for kind in _KINDS], ["update", "patch"]),
]


def _class() -> dict[str, Any]:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": GATEWAY},
        "spec": {"controllerName": "traefik.io/gateway-controller"},
    }


def _gateway() -> dict[str, Any]:
    listener = {
        "name": "web",
        "port": GATEWAY_API_PORT,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": NAMESPACE},
        "spec": {"gatewayClassName": GATEWAY, "listeners": [listener]},
    }


def _objects() -> list[dict[str, Any]]:
    grant = objects.grant(_PROGRAM, _RULES)
    return [objects.namespace(NAMESPACE), *grant, _class(), _gateway()]


ADDON = Addon(
    name=NAME,
    version=f"Gateway API v{GATEWAY_API}",
    recipes=(GATEWAY_API_BUILD,),
    links=_links,
    programs=_programs,
    objects=_objects,
    definitions=_definitions,
    url=GATEWAY_API_URL,
)
