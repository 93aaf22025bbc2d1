"""What forbids to shift an Ingress, and what a person should know before it is shifted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatewaycanary.core.lookups import Lookup, spot_token, token
from gatewaycanary.core.manifests import is_ours
from gatewaycanary.core.naming import canary_name
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import ingresses
from gatewaycanary.traffic.nginx_annotations import AFFINITY, CANARY, PASSTHROUGH, is_true
from gatewaycanary.traffic.protocol import RouteContext

KIND = "Ingress"


def problems(context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
    """Tell what forbids to shift this Ingress."""
    stable = lookup.get(KIND, context.namespace, context.route)
    if stable is None:
        return (_missing(context), *_taken(context, lookup))
    return (
        *_unfit(context, stable),
        *_without_rule(context, stable),
        *_taken(context, lookup),
        *_foreign_canaries(context, lookup, stable),
    )


def warnings(context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
    """Tell what else shifts with this Ingress, and who stays."""
    stable = lookup.get(KIND, context.namespace, context.route)
    if stable is None:
        return ()
    return (
        *_default_backend(context, stable),
        *_sticky(context, stable),
        *_shifting_too(context, lookup, stable),
    )


def _missing(context: RouteContext) -> Problem:
    return Problem(
        reason="IngressMissing",
        object=f"{KIND} {context.route}",
        message="there is no such Ingress in this namespace; spec.traffic.nginx.ingress names it",
    )


def _unfit(context: RouteContext, stable: Object) -> Iterator[Problem]:
    found = ingresses.annotations_of(stable)
    if is_true(found.get(CANARY)):
        yield Problem(
            reason="IngressIsCanary",
            object=f"{KIND} {context.route}",
            field=f"metadata.annotations[{CANARY}]",
            message="it is itself a canary Ingress; name the stable one in "
            "spec.traffic.nginx.ingress",
        )
    if is_true(found.get(PASSTHROUGH)):
        yield Problem(
            reason="IngressPassesThrough",
            object=f"{KIND} {context.route}",
            field=f"metadata.annotations[{PASSTHROUGH}]",
            message="TLS is passed through to the pods, so the router sees no requests that it "
            "could shift; end TLS at the Ingress",
        )


def _without_rule(context: RouteContext, stable: Object) -> Iterator[Problem]:
    if any(entry.service == context.stable_service for entry in ingresses.entries(stable)):
        return
    default = ingresses.default_service(stable) or {}
    if default.get("name") == context.stable_service:
        yield Problem(
            reason="IngressHasNoRule",
            object=f"{KIND} {context.route}",
            field="spec.defaultBackend",
            message=f"it leads to Service {context.stable_service} by its default backend alone, "
            "which not every router shifts; give it a rule with path /",
        )
        return
    found = ", ".join(f"{one.service} at {one.field}" for one in ingresses.entries(stable))
    yield Problem(
        reason="IngressHasNoRule",
        object=f"{KIND} {context.route}",
        field="spec.rules",
        message=f"no path of it leads to Service {context.stable_service}; it leads to: "
        f"{found or 'none'}; set spec.service.stable to the one that is to be shifted",
    )


def _taken(context: RouteContext, lookup: Lookup) -> Iterator[Problem]:
    name = canary_name(context.target)
    found = lookup.get(KIND, context.namespace, name)
    if found is not None and not is_ours(found, context.owner_uid):
        yield Problem(
            reason="NameTaken",
            object=f"{KIND} {name}",
            field="metadata.name",
            message="this name is needed for the canary's Ingress and the object there is not "
            "ours; delete or rename it",
        )


def _upstreams(context: RouteContext, stable: Object) -> set[tuple[str, str]]:
    return {
        (entry.service, entry.port)
        for entry in ingresses.entries(stable)
        if entry.service == context.stable_service
    }


def _foreign_canaries(context: RouteContext, lookup: Lookup, stable: Object) -> Iterator[Problem]:
    """Find canary Ingresses of others on any spot whose upstream is ours to shift."""
    upstreams = _upstreams(context, stable)
    sharing = (
        one
        for one in _leading_to_stable(context, lookup)
        if not is_true(ingresses.annotations_of(one).get(CANARY))
    )
    spots = {
        entry.spot
        for one in sharing
        for entry in ingresses.entries(one)
        if (entry.service, entry.port) in upstreams
    }
    for name, clash in _canaries_on(context, lookup, spots).items():
        yield Problem(
            reason="ForeignCanaryIngress",
            object=f"{KIND} {name}",
            field=clash.field,
            message=f"it is another canary of host {clash.spot.host or '*'} and path "
            f"{clash.spot.path}, and routers know one canary a path; delete it",
        )


def _leading_to_stable(context: RouteContext, lookup: Lookup) -> Iterable[Object]:
    return lookup.filed(KIND, context.namespace, token("Service", context.stable_service))


def _canaries_on(
    context: RouteContext, lookup: Lookup, spots: set[ingresses.Spot]
) -> dict[str, ingresses.Entry]:
    own = (canary_name(context.target), context.route)
    canaries = {
        one["metadata"]["name"]: one
        for spot in sorted(spots)
        for one in lookup.filed(KIND, context.namespace, spot_token(spot.host, spot.path))
        if is_true(ingresses.annotations_of(one).get(CANARY))
    }
    clashes: dict[str, ingresses.Entry] = {}
    for name, one in canaries.items():
        found = [entry for entry in ingresses.entries(one) if entry.spot in spots]
        if found and name not in own:
            clashes[name] = min(found, key=lambda entry: entry.spot)
    return clashes


def _default_backend(context: RouteContext, stable: Object) -> Iterator[Problem]:
    default = ingresses.default_service(stable) or {}
    if default.get("name") == context.stable_service:
        yield Problem(
            reason="DefaultBackend",
            object=f"{KIND} {context.route}",
            field="spec.defaultBackend",
            message="requests that no rule takes shift too with ingress-nginx, and stay on "
            "stable with Traefik",
        )


def _sticky(context: RouteContext, stable: Object) -> Iterator[Problem]:
    if ingresses.annotations_of(stable).get(AFFINITY) == "cookie":
        yield Problem(
            reason="StickyClients",
            object=f"{KIND} {context.route}",
            field=f"metadata.annotations[{AFFINITY}]",
            message="clients that hold stable's cookie stay on stable at every weight, so the "
            "canary gets its share of new clients only",
        )


def _shifting_too(context: RouteContext, lookup: Lookup, stable: Object) -> Iterator[Problem]:
    upstreams = _upstreams(context, stable)
    for other in _leading_to_stable(context, lookup):
        name = other["metadata"]["name"]
        if name == context.route or is_true(ingresses.annotations_of(other).get(CANARY)):
            continue
        field = _field_towards(other, upstreams)
        if field:
            yield Problem(
                reason="OtherIngressShifts",
                object=f"{KIND} {name}",
                field=field,
                message=f"it leads to Service {context.stable_service} as well, and the weight "
                "hangs on the Service: its requests shift too",
            )


def _field_towards(ingress: Object, upstreams: set[tuple[str, str]]) -> str:
    for entry in ingresses.entries(ingress):
        if (entry.service, entry.port) in upstreams:
            return entry.field
    default = ingresses.default_service(ingress)
    if default and (default.get("name", ""), ingresses.port_text(default)) in upstreams:
        return "spec.defaultBackend"
    return ""
