"""The Istio provider on the bench, with two hosts and with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.held import HeldRoute
from conformance.nginx import CONTEXT, NAMESPACE
from gatewaycanary.api.traffic import Subsets
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic.istio import Istio

VERSION = "networking.istio.io/v1"


def destination(host: str, **more: Any) -> dict[str, Any]:
    """Write one destination of a route."""
    beside: dict[str, Any] = {key: more.pop(key) for key in ("weight", "headers") if key in more}
    return {"destination": {"host": host, "port": {"number": 80}, **more}, **beside}


def virtual_service(*routes: Object, name: str = "gateway", **spec: Any) -> dict[str, Any]:
    """Write a VirtualService."""
    return {
        "apiVersion": VERSION,
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": {"note": "mine"}},
        "spec": {"hosts": ["shop.example"], "http": [dict(route) for route in routes], **spec},
    }


def destination_rule(name: str, host: str, *subsets: Object) -> dict[str, Any]:
    """Write a DestinationRule."""
    return {
        "apiVersion": VERSION,
        "kind": "DestinationRule",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"host": host, "subsets": [dict(one) for one in subsets]},
    }


class IstioBench(HeldRoute):
    """A VirtualService with two routes to stable, short and long of host, and one elsewhere."""

    name = "istio"
    provider = Istio()
    context_kind = "VirtualService"
    rules = "http"
    listed = "route"

    def manifests(self) -> Sequence[Object]:
        """Give the VirtualService and both hosts' policies."""
        return (
            virtual_service(
                {
                    "name": "primary",
                    "match": [{"headers": {"x-team": {"exact": "a"}}}],
                    "retries": {"attempts": 2},
                    "route": [destination("web", headers={"request": {"set": {"a": "b"}}})],
                },
                {
                    "name": "secondary",
                    "mirror": {"host": "web-shadow"},
                    "route": [destination("web.shop.svc.cluster.local", weight=100)],
                },
                {"name": "pay", "route": [destination("pay")]},
            ),
            destination_rule("web", "web"),
            destination_rule("web-canary", "web-canary.shop.svc.cluster.local"),
        )

    def weight(self, destination: Object, among: int) -> int:
        """Read a weight: without one it is all alone, and nothing beside others."""
        spelled = destination.get("weight")
        return spelled if isinstance(spelled, int) else 100 if among == 1 else 0

    def is_canary(self, destination: Object) -> bool:
        """Tell by the host."""
        return str(destination["destination"]["host"]).startswith("web-canary")

    def canary_destination(self, *, weight: int) -> dict[str, Any]:
        """Write the canary's host."""
        return destination("web-canary", weight=weight)

    def foreign_destination(self) -> dict[str, Any]:
        """Write another host."""
        return destination("pay", weight=20)


class SubsetsBench(IstioBench):
    """The same with one host, whose subsets tell the two sides apart."""

    context = replace(CONTEXT, subsets=Subsets(stable="stable", canary="canary"))

    def manifests(self) -> Sequence[Object]:
        """Give the VirtualService with stable's subset, and the DestinationRule."""
        return (
            virtual_service(
                {"name": "primary", "route": [destination("web", subset="stable")]},
                {
                    "name": "secondary",
                    "route": [destination("web.shop.svc.cluster.local", subset="stable")],
                },
                {"name": "pay", "route": [destination("pay")]},
            ),
            destination_rule(
                "web",
                "web",
                {"name": "stable", "labels": {"track": "stable"}},
                {"name": "canary", "labels": {"track": "canary"}},
            ),
        )

    def is_canary(self, destination: Object) -> bool:
        """Tell by the subset."""
        return bool(destination["destination"].get("subset") == "canary")

    def canary_destination(self, *, weight: int) -> dict[str, Any]:
        """Write the canary's subset."""
        return destination("web", subset="canary", weight=weight)
