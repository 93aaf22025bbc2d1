"""The Gateway API provider on the bench."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.held import HeldRoute
from conformance.nginx import NAMESPACE
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic.gateway_api import GatewayAPI


def backend(name: str, **more: Any) -> dict[str, Any]:
    """Write a backendRef as the API server stores it."""
    return {"group": "", "kind": "Service", "name": name, "port": 80, "weight": 1, **more}


def http_route(*rules: Object, **status: Any) -> dict[str, Any]:
    """Write an HTTPRoute."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": "gateway",
            "namespace": NAMESPACE,
            "generation": 2,
            "annotations": {"note": "mine"},
        },
        "spec": {"parentRefs": [{"name": "front"}], "rules": [dict(rule) for rule in rules]},
        **({"status": status} if status else {}),
    }


class GatewayBench(HeldRoute):
    """An HTTPRoute with two rules to stable, one with a filter, and one elsewhere."""

    name = "gatewayAPI"
    provider = GatewayAPI()
    context_kind = "HTTPRoute"
    rules = "rules"
    listed = "backendRefs"

    def manifests(self) -> Sequence[Object]:
        """Give the HTTPRoute."""
        header = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}
        return (
            http_route(
                {"name": "primary", "backendRefs": [backend("web", filters=[header])]},
                {
                    "name": "secondary",
                    "matches": [{"path": {"type": "PathPrefix", "value": "/api"}}],
                    "filters": [header],
                    "backendRefs": [backend("web", namespace=NAMESPACE, weight=7)],
                },
                {"name": "pay", "backendRefs": [backend("pay")]},
            ),
        )

    def weight(self, destination: Object, among: int) -> int:
        """Read a weight; without one it is 1."""
        spelled = destination.get("weight", 1)
        return spelled if isinstance(spelled, int) else 0

    def is_canary(self, destination: Object) -> bool:
        """Tell by the Service."""
        return bool(destination["name"] == "web-canary")

    def canary_destination(self, *, weight: int) -> dict[str, Any]:
        """Write the canary's Service."""
        return backend("web-canary", weight=weight)

    def foreign_destination(self) -> dict[str, Any]:
        """Write another Service."""
        return backend("pay", weight=20)
