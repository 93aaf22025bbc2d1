"""Traffic by the weights of a Gateway API HTTPRoute, which a person holds.

Rules whose backendRefs name the stable Service are shifted, all together. Works with any
implementation: the weights are core to the standard. NB: a backend without a weight has 1, and the
API server writes that down; weights are shares of their sum, so a rule that is shifted sums up to
100.

An implementation tells in the route's status which generation it has read. That is not yet live in
its proxies: what is read must still settle. One that tells nothing leaves it all to ``settle``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from gatewaycanary.core.lookups import Lookup, backends, fields, items, listed
from gatewaycanary.core.observation import Problem, RouteView
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import held_checks
from gatewaycanary.traffic.held import HeldProvider
from gatewaycanary.traffic.held_rules import Dialect
from gatewaycanary.traffic.protocol import Key, Kind, RouteContext

API_VERSION: Final = "gateway.networking.k8s.io/v1"
KIND: Final = "HTTPRoute"


class GatewayAPI(HeldProvider):
    """The provider of ``spec.traffic.gatewayAPI``."""

    @property
    def name(self) -> str:
        """Name the provider as the spec's field is called."""
        return "gatewayAPI"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Name the kinds that must be watched."""
        return ((API_VERSION, KIND),)

    def keys(self, context: RouteContext) -> tuple[Key, ...]:
        """Name the HTTPRoute and the stable Service."""
        return (
            (KIND, context.namespace, context.route),
            ("Service", context.namespace, context.stable_service),
        )

    def related(self, obj: Object) -> tuple[Key, ...]:
        """Name the HTTPRoute and the Services that it leads to."""
        namespace = obj["metadata"]["namespace"]
        behind = (("Service", namespace, name) for name in backends(obj))
        return ((KIND, namespace, obj["metadata"]["name"]), *behind)

    def problems(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what forbids to shift this HTTPRoute."""
        found = held_checks.problems(context, lookup, self.dialect(context))
        return (*found, *_refused(context, lookup))

    def warnings(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell which of its references the implementation cannot follow."""
        return tuple(_told(context, lookup, "ResolvedRefs", reason="RouteNotResolved"))

    def dialect(self, context: RouteContext) -> Dialect:
        """Tell how an HTTPRoute spells what is shifted."""
        return Dialect(
            api_version=API_VERSION,
            kind=KIND,
            rules="rules",
            destinations="backendRefs",
            identity=("name",),
            is_stable=lambda backend: _names(backend, context.stable_service, context),
            is_canary=lambda backend: _names(backend, context.canary_service, context),
            redirected=lambda backend: _redirected(backend, context.canary_service),
            unspelled=lambda _: 1,
            leads_to=lambda backend: str(backend.get("name", "?")),
            crd="httproutes.gateway.networking.k8s.io",
            setting="spec.traffic.gatewayAPI.httpRoute",
            names_setting="spec.traffic.gatewayAPI.rules",
        )

    def view(self, context: RouteContext, lookup: Lookup) -> RouteView:
        """Read the HTTPRoute, and whether its implementations have read it."""
        route = lookup.get(KIND, context.namespace, context.route)
        return replace(
            super().view(context, lookup), settled=None if route is None else _settled(route)
        )


def _names(backend: Object, service: str, context: RouteContext) -> bool:
    kind = (backend.get("group") or "", backend.get("kind") or "Service")
    here = (backend.get("namespace") or context.namespace) == context.namespace
    return kind == ("", "Service") and here and backend.get("name") == service


def _redirected(backend: Object, service: str) -> dict[str, Any]:
    return {**backend, "name": service}


def _settled(route: Object) -> bool | None:
    """Tell False where an implementation is known to go by an older generation."""
    generation = route["metadata"].get("generation")
    read = [
        condition.get("observedGeneration")
        for parent in listed(route.get("status"), "parents")
        for condition in listed(parent, "conditions")
        if condition.get("type") == "Accepted"
    ]
    behind = any(
        isinstance(one, int) and isinstance(generation, int) and one < generation for one in read
    )
    return False if behind else None


def _refused(context: RouteContext, lookup: Lookup) -> Iterator[Problem]:
    return _told(context, lookup, "Accepted", reason="RouteNotAccepted")


def _told(context: RouteContext, lookup: Lookup, kind: str, *, reason: str) -> Iterator[Problem]:
    """Yield what gateways say of this generation of the route, where it is not good."""
    route = lookup.get(KIND, context.namespace, context.route) or {}
    generation = fields(route.get("metadata")).get("generation")
    for index, parent in items(route.get("status"), "parents"):
        for condition in listed(parent, "conditions"):
            current = condition.get("observedGeneration", generation) == generation
            if condition.get("type") == kind and condition.get("status") == "False" and current:
                yield Problem(
                    reason=reason,
                    object=f"{KIND} {context.route}",
                    field=f"status.parents[{index}]",
                    message=f"gateway {fields(parent.get('parentRef')).get('name', '?')} says "
                    f"{condition.get('reason', kind)}: {condition.get('message', '')}",
                )
