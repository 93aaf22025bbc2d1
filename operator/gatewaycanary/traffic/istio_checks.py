"""What forbids to shift a VirtualService, and what a person should know before it is shifted.

The subsets of a mesh with one host are looked at where the canary's label is found
(``core.subsets``).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.core import subsets
from gatewaycanary.core.lookups import Lookup, fields, items, listed, service_of_host, token
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import held_checks
from gatewaycanary.traffic.held_rules import Dialect
from gatewaycanary.traffic.protocol import RouteContext

KIND = "VirtualService"


def problems(context: RouteContext, lookup: Lookup, dialect: Dialect) -> tuple[Problem, ...]:
    """Tell what forbids to shift this VirtualService."""
    return (
        *held_checks.problems(context, lookup, dialect),
        *_without_policy(context, lookup),
    )


def _without_policy(context: RouteContext, lookup: Lookup) -> Iterator[Problem]:
    """Find that stable's host has a traffic policy, and the canary's has none."""
    if context.subsets is not None:
        return
    stable, canary = (
        list(subsets.rules_of(lookup, context.namespace, service))
        for service in (context.stable_service, context.canary_service)
    )
    if stable and not canary:
        name = stable[0]["metadata"]["name"]
        yield Problem(
            reason="DestinationRuleMissing",
            object=f"{subsets.KIND} {name}",
            field="spec.host",
            message=f"it holds for {context.stable_service}, and host {context.canary_service} has "
            "none, so that the canary would be reached without its policy; add one like it",
        )


def warnings(context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
    """Tell what sends to stable and does not shift with it."""
    route = lookup.get(KIND, context.namespace, context.route)
    if route is None:
        return ()
    return (*_other_protocols(context, route), *_other_routes(context, lookup))


def _other_protocols(context: RouteContext, route: Object) -> Iterator[Problem]:
    for protocol in ("tls", "tcp"):
        for index, rule in items(route.get("spec"), protocol):
            if _sends_to_stable(rule, context):
                yield Problem(
                    reason="OtherRouteStays",
                    object=f"{KIND} {context.route}",
                    field=f"spec.{protocol}[{index}]",
                    message="only HTTP routes are shifted; this one stays on stable throughout",
                )


def _other_routes(context: RouteContext, lookup: Lookup) -> Iterator[Problem]:
    behind = token("Service", context.stable_service)
    for other in lookup.filed(KIND, context.namespace, behind):
        name = other["metadata"]["name"]
        if name != context.route:
            yield Problem(
                reason="OtherRouteStays",
                object=f"{KIND} {name}",
                field="spec.http",
                message=f"it sends to {context.stable_service} too, and stays on stable throughout",
            )


def _sends_to_stable(rule: Object, context: RouteContext) -> bool:
    return any(
        service_of_host(fields(one.get("destination")).get("host"), context.namespace)
        == context.stable_service
        for one in listed(rule, "route")
    )
