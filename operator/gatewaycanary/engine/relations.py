"""Which canaries a change concerns: found by the tokens that objects are filed under.

A namespace may hold a thousand canaries, and each rollout writes a dozen objects, so a change must
not be told to all of them. Who is concerned follows from what the checks and providers read:

- an object that a canary's spec names, or that is to bear one of its names: that canary;
- a pod or Job of ours: its owner, by uid (a name may be too long for a label);
- an EndpointSlice, a HorizontalPodAutoscaler, an Ingress: whose Service or target it is about;
- an Ingress: also who else routes the same host and path;
- a Service: also those whose stable pods it selects;
- a Deployment: also those whose canary Service would select its pods;
- a GatewayCanary whose spec changed: its rivals, which name the same things;
- a VirtualService, a DestinationRule, an HTTPRoute: whose Services it leads to;
- a NetworkPolicy, or a policy of a mesh: all, for it may select anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatewaycanary.core import lookups, selectors
from gatewaycanary.core.lookups import Lookup, token
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import ingresses

Key = tuple[str, str]
"""Namespace and name of a GatewayCanary."""

KIND = "GatewayCanary"
UNREAD = frozenset({"PodDisruptionBudget"})
"""Kinds that are read at the start of a rollout only, and wake nobody."""

SELECTING = frozenset({"NetworkPolicy", "AuthorizationPolicy", "PeerAuthentication", "Sidecar"})
"""Kinds that may be about any pod of their namespace."""

BY_SPEC = SELECTING | {"HorizontalPodAutoscaler", "DestinationRule"}
"""Kinds of which nothing but the spec is read; their status may change all day."""


def concerned(lookup: Lookup, kind: str, old: Object | None, new: Object | None) -> set[Key]:
    """Name the canaries that a change of a cached object concerns."""
    found = [obj for obj in (new, old) if obj is not None]
    if not found or kind in UNREAD or (kind in BY_SPEC and _same_spec(old, new)):
        return set()
    namespace = str(found[0]["metadata"].get("namespace", ""))
    own = {(namespace, str(found[0]["metadata"]["name"]))} if kind == KIND else set()
    if kind == KIND and _same_spec(old, new):
        return own
    if kind in SELECTING:
        return _keys(namespace, lookup.list(KIND, namespace))
    tokens = {each for obj in found for each in _tokens(lookup, namespace, kind, obj)}
    return own.union(*(_keys(namespace, lookup.filed(KIND, namespace, each)) for each in tokens))


def _tokens(lookup: Lookup, namespace: str, kind: str, obj: Object) -> Iterator[str]:
    yield token(kind, obj["metadata"]["name"])
    yield from lookups.tokens(kind, obj)
    if kind == "Ingress":
        yield from _on_the_same_spots(lookup, namespace, obj)
    elif kind == "Service":
        yield from _selected(lookup, namespace, obj)
    elif kind == "Deployment":
        yield from _selected_as_canary(lookup, namespace, obj)


def _on_the_same_spots(lookup: Lookup, namespace: str, ingress: Object) -> Iterator[str]:
    spots = {lookups.spot_token(e.spot.host, e.spot.path) for e in ingresses.entries(ingress)}
    neighbours = {
        neighbour["metadata"]["name"]: neighbour
        for spot in spots
        for neighbour in lookup.filed("Ingress", namespace, spot)
    }
    for neighbour in neighbours.values():
        for entry in ingresses.entries(neighbour):
            if lookups.spot_token(entry.spot.host, entry.spot.path) in spots:
                yield token("Service", entry.service)


def _selected(lookup: Lookup, namespace: str, service: Object) -> Iterator[str]:
    selector = (service.get("spec") or {}).get("selector")
    if not selector:
        return
    filed = lookups.label_token(*next(iter(selector.items())))
    for deployment in lookup.filed("Deployment", namespace, filed):
        if selectors.service_selects(selector, selectors.pod_labels(deployment)):
            yield token("Deployment", deployment["metadata"]["name"])


def _selected_as_canary(lookup: Lookup, namespace: str, deployment: Object) -> Iterator[str]:
    """Find the stable Services whose canary Service would select these pods as well."""
    labels = selectors.pod_labels(deployment)
    for key, value in labels.items():
        stable = {**labels, key: value.removesuffix(selectors.SUFFIX)}
        if stable != labels:
            for service in lookups.services_selecting(lookup, namespace, stable):
                yield token("Service", service["metadata"]["name"])


def _keys(namespace: str, canaries: Iterable[Object]) -> set[Key]:
    return {(namespace, str(canary["metadata"]["name"])) for canary in canaries}


def _same_spec(old: Object | None, new: Object | None) -> bool:
    return old is not None and new is not None and old.get("spec") == new.get("spec")
