"""Layouts of routes that real data planes are tried with, as data: name, features, manifests.

The words are those of the conformance cases: Deployment and Service ``web`` are stable, both with
``-canary`` the other side. A place is what a request must say to be routed by one rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance import nginx
from conformance.istio import destination, destination_rule
from conformance.nginx import CONTEXT
from gatewaycanary.api.traffic import Subsets
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic.gateway_api import GatewayAPI
from gatewaycanary.traffic.istio import Istio
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import Provider, RouteContext

SEVERAL = "several-rules"
SUBSETS = "subsets"

Routing = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a request says, and whether the rule that it meets is shifted."""

    path: str = "/version"
    headers: Mapping[str, str]
    shifted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way to write a route.

    ``router`` names the data plane, ``route`` writes a route of a name, a host and rules, and
    ``rules`` are what the shifted route holds; ``plain`` is the rule of one that only serves
    stable, ``canary`` of one that only serves the canary.
    """

    name: str
    router: str
    provider: Provider
    route: Routing
    rules: Sequence[Object]
    plain: Object
    canary: Object
    context: RouteContext = CONTEXT
    further: Sequence[Object] = ()
    places: Sequence[Place] = (Place(headers={}),)
    features: frozenset[str] = frozenset()

    def manifests(self, host: str) -> Sequence[Object]:
        """Give the Services and the route, for a host."""
        one_host = SUBSETS in self.features
        return (
            service("web", {"app": "web"} if one_host else {"app": "web", "track": "stable"}),
            service("web-canary", {"app": "web", "track": "canary"}),
            *self.further,
            self.route(CONTEXT.route, host, self.rules),
        )

    def beacon(self, name: str, host: str, *, canary: bool = False) -> Object:
        """Write a route that only serves one side, by its own host."""
        return self.route(name, host, [self.canary if canary else self.plain])


def service(name: str, selector: Mapping[str, str]) -> dict[str, Any]:
    """Write a Service of one port."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": nginx.NAMESPACE},
        "spec": {
            "selector": dict(selector),
            "ports": [{"name": "http", "port": 80, "targetPort": 9898}],
        },
    }


def _ingress(name: str, host: str, rules: Sequence[Object]) -> dict[str, Any]:
    return nginx.ingress(name, host=host, paths=rules)


def _virtual_service(name: str, host: str, rules: Sequence[Object]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": nginx.NAMESPACE},
        "spec": {
            "hosts": [host],
            "gateways": ["istio-system/gateway"],
            "http": [dict(rule) for rule in rules],
        },
    }


def _http_route(name: str, host: str, rules: Sequence[Object]) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": nginx.NAMESPACE},
        "spec": {
            "parentRefs": [{"name": "traefik", "namespace": "gateway-system"}],
            "hostnames": [host],
            "rules": [dict(rule) for rule in rules],
        },
    }


_STAY, _TEST = {"x-stay": "yes"}, {"x-tester": "yes"}
_THREE_PLACES = (
    Place(headers={}),
    Place(headers=_TEST),
    Place(headers=_STAY, shifted=False),
)


def _istio_rule(name: str, headers: Mapping[str, str]) -> dict[str, Any]:
    wanted = {key: {"exact": value} for key, value in headers.items()}
    match = {"match": [{"headers": wanted}]} if wanted else {}
    return {"name": name, **match, "route": [destination("web")]}


def _gateway_rule(name: str, headers: Mapping[str, str]) -> dict[str, Any]:
    wanted = [{"name": key, "value": value} for key, value in headers.items()]
    match = {"matches": [{"headers": wanted}]} if wanted else {}
    return {"name": name, **match, "backendRefs": [{"name": "web", "port": 80}]}


_NAMED: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("stays", _STAY),
    ("testers", _TEST),
    ("everybody", {}),
)
_SHIFTED = replace(CONTEXT, rules=("testers", "everybody"))
_PLAIN_ISTIO = {"route": [destination("web")]}
_CANARY_ISTIO = {"route": [destination("web-canary")]}
_PLAIN_GATEWAY = {"backendRefs": [{"name": "web", "port": 80}]}
_CANARY_GATEWAY = {"backendRefs": [{"name": "web-canary", "port": 80}]}

LAYOUTS = (
    Layout(
        name="ingress",
        router="nginx",
        provider=Nginx(),
        route=_ingress,
        rules=(nginx.path("/", "web"), nginx.path("/env", "web", port=80)),
        plain=nginx.path("/", "web"),
        canary=nginx.path("/", "web-canary"),
    ),
    Layout(
        name="two-hosts",
        router="istio",
        provider=Istio(),
        route=_virtual_service,
        rules=(_PLAIN_ISTIO,),
        plain=_PLAIN_ISTIO,
        canary=_CANARY_ISTIO,
    ),
    Layout(
        name="subsets",
        router="istio",
        provider=Istio(),
        route=_virtual_service,
        rules=({"route": [destination("web", subset="stable")]},),
        plain={"route": [destination("web", subset="stable")]},
        canary={"route": [destination("web", subset="canary")]},
        context=replace(CONTEXT, subsets=Subsets(stable="stable", canary="canary")),
        further=(
            destination_rule(
                "web",
                "web",
                {"name": "stable", "labels": {"track": "stable"}},
                {"name": "canary", "labels": {"track": "canary"}},
            ),
        ),
        features=frozenset({SUBSETS}),
    ),
    Layout(
        name="several-routes",
        router="istio",
        provider=Istio(),
        route=_virtual_service,
        rules=tuple(_istio_rule(*each) for each in _NAMED),
        plain=_PLAIN_ISTIO,
        canary=_CANARY_ISTIO,
        context=_SHIFTED,
        places=_THREE_PLACES,
        features=frozenset({SEVERAL}),
    ),
    Layout(
        name="one-rule",
        router="gateway-api",
        provider=GatewayAPI(),
        route=_http_route,
        rules=(_PLAIN_GATEWAY,),
        plain=_PLAIN_GATEWAY,
        canary=_CANARY_GATEWAY,
    ),
    Layout(
        name="several-rules",
        router="gateway-api",
        provider=GatewayAPI(),
        route=_http_route,
        rules=tuple(_gateway_rule(*each) for each in _NAMED),
        plain=_PLAIN_GATEWAY,
        canary=_CANARY_GATEWAY,
        context=_SHIFTED,
        places=_THREE_PLACES,
        features=frozenset({SEVERAL}),
    ),
)
