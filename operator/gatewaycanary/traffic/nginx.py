"""Traffic by the canary annotations of ingress-nginx, which Traefik honours too.

The route is a second Ingress of ours beside the stable one: the same hosts and paths, as far as
they lead to the stable Service, with the canary Service behind them and the weight as annotation.
The stable Ingress is never written. So the route is "as found" when our Ingress is gone, and
"without our destination" when it does not exist.

Routers merge the two by host, path and path type, and hang the weight on the stable Service's
upstream. NB: annotations on a canary Ingress are inherited from the stable one and ignored here,
but for those in ``INHERITED``; sticky clients would ignore the weight, even 0, without ``LEGACY``.
"""

from __future__ import annotations

from typing import Any, Final

from gatewaycanary.core.lookups import Lookup
from gatewaycanary.core.manifests import is_ours, owner_labels
from gatewaycanary.core.naming import OWNER_LABEL, WITHDRAWN_ANNOTATION, canary_name
from gatewaycanary.core.observation import Problem, RouteView
from gatewaycanary.core.writes import Create, Delete, JsonPatch, Object, Operation, Write, pointer
from gatewaycanary.traffic import ingresses, nginx_checks, weights
from gatewaycanary.traffic.nginx_annotations import (
    AFFINITY,
    AFFINITY_BEHAVIOR,
    CANARY,
    CLASS,
    INHERITED,
    LEGACY,
    TRUE,
    WEIGHT,
    WEIGHT_TOTAL,
)
from gatewaycanary.traffic.protocol import Key, Kind, RouteContext

API_VERSION: Final = "networking.k8s.io/v1"
KIND: Final = "Ingress"
_CANARY_TRUE: Final = frozenset({TRUE, "True", "TRUE"})


class Nginx:
    """The provider of ``spec.traffic.nginx``."""

    @property
    def name(self) -> str:
        """Name the provider as the spec's field is called."""
        return "nginx"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Name the kinds that must be watched."""
        return ((API_VERSION, KIND),)

    def keys(self, context: RouteContext) -> tuple[Key, ...]:
        """Name the stable Ingress, ours, and the Service that any Ingress may lead to."""
        return (
            (KIND, context.namespace, context.route),
            (KIND, context.namespace, canary_name(context.target)),
            ("Service", context.namespace, context.stable_service),
        )

    def related(self, obj: Object) -> tuple[Key, ...]:
        """Name the Ingress and the Services that it leads to."""
        namespace = obj["metadata"]["namespace"]
        behind = (("Service", namespace, service) for service in ingresses.services(obj))
        return ((KIND, namespace, obj["metadata"]["name"]), *behind)

    def problems(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what forbids to shift this Ingress."""
        return nginx_checks.problems(context, lookup)

    def warnings(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what else shifts, and who does not."""
        return nginx_checks.warnings(context, lookup)

    def view(self, context: RouteContext, lookup: Lookup) -> RouteView:
        """Read our Ingress; where it is not there, our destination is not in the route."""
        stable = lookup.get(KIND, context.namespace, context.route)
        ours = _ours(context, lookup)
        if ours is None:
            return RouteView(present=stable is not None)
        reading = _reading(ours, stable, context)
        return RouteView(
            present=stable is not None,
            attached=True,
            weight=reading.weight,
            text=reading.text,
            withdrawn=ingresses.annotations_of(ours).get(WITHDRAWN_ANNOTATION, ""),
            version=ours["metadata"].get("resourceVersion", ""),
            left=True,
        )

    def raise_weight(self, context: RouteContext, lookup: Lookup, *, weight: int) -> Write | None:
        """Create our Ingress with the weight, or bring it to the weight."""
        stable = lookup.get(KIND, context.namespace, context.route)
        ours = _ours(context, lookup)
        if ours is not None:
            return _patch_to(ours, stable, context, weight=weight)
        if stable is None or lookup.get(KIND, context.namespace, canary_name(context.target)):
            return None
        return Create(manifest=_manifest(stable, context, weight=weight))

    def withdraw(self, context: RouteContext, lookup: Lookup, *, mark: str) -> Write | None:
        """Bring our Ingress to weight 0 whatever else it says, with the mark in the same write."""
        ours = _ours(context, lookup)
        if ours is None:
            return None
        wanted = {CANARY: TRUE, WEIGHT: "0", **({WITHDRAWN_ANNOTATION: mark} if mark else {})}
        changes = _annotate(ours, wanted)
        if not changes:
            return None
        owner = pointer("metadata", "labels", OWNER_LABEL)
        guard = {"op": "test", "path": owner, "value": context.owner_uid}
        return _patch(ours, guard, *changes)

    def restore(self, context: RouteContext, lookup: Lookup) -> Write | None:
        """Delete our Ingress."""
        ours = _ours(context, lookup)
        if ours is None:
            return None
        metadata = ours["metadata"]
        return Delete(
            api_version=API_VERSION,
            kind=KIND,
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
        )

    def disown(self, context: RouteContext, lookup: Lookup) -> None:  # noqa: ARG002
        """Build nothing: the object is ours."""
        return


def _ours(context: RouteContext, lookup: Lookup) -> Object | None:
    found = lookup.get(KIND, context.namespace, canary_name(context.target))
    return found if found is not None and is_ours(found, context.owner_uid) else None


def _reading(ours: Object, stable: Object | None, context: RouteContext) -> weights.Reading:
    annotations = ingresses.annotations_of(ours)
    enabled = annotations.get(CANARY)
    if enabled not in _CANARY_TRUE:
        return weights.Reading(weight=None, text=f"canary {enabled!r}, which takes it for stable")
    reading = weights.read(annotations.get(WEIGHT), field="canary-weight")
    if not reading.weight:
        return reading
    if WEIGHT_TOTAL in annotations and annotations[WEIGHT_TOTAL] != str(weights.TOTAL):
        return weights.Reading(
            weight=None, text=f"{reading.weight} of canary-weight-total {annotations[WEIGHT_TOTAL]}"
        )
    if _routes_otherwise(ours, stable, context):
        return weights.Reading(
            weight=None, text=f"{reading.text} on other paths than Ingress {context.route}"
        )
    return reading


def _routes_otherwise(ours: Object, stable: Object | None, context: RouteContext) -> bool:
    wanted = _towards_canary(stable, context) if stable is not None else []
    if not wanted:
        return False
    spec = {"spec": {"rules": wanted}}
    return set(_routed(ours)) != set(_routed(spec))


def _routed(ingress: Object) -> list[tuple[ingresses.Spot, str, str]]:
    return [(entry.spot, entry.service, entry.port) for entry in ingresses.entries(ingress)]


def _towards_canary(stable: Object, context: RouteContext) -> list[dict[str, Any]]:
    return ingresses.rules_towards(
        stable, service=context.stable_service, instead=context.canary_service
    )


def _manifest(stable: Object, context: RouteContext, *, weight: int) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": canary_name(context.target),
            "namespace": context.namespace,
            "labels": owner_labels(
                uid=context.owner_uid, canary=context.canary, revision=context.revision
            ),
            "annotations": _wanted_annotations(stable, weight=weight),
        },
        "spec": {
            **{
                field: stable["spec"][field]
                for field in ("ingressClassName", "tls")
                if stable["spec"].get(field)
            },
            "rules": _towards_canary(stable, context),
        },
    }


def _wanted_annotations(stable: Object, *, weight: int) -> dict[str, str]:
    found = ingresses.annotations_of(stable)
    sticky = {AFFINITY_BEHAVIOR: LEGACY} if found.get(AFFINITY) == "cookie" else {}
    kept = {key: found[key] for key in (CLASS, *INHERITED) if key in found}
    return {**kept, **sticky, CANARY: TRUE, WEIGHT: str(weight)}


def _patch_to(
    ours: Object, stable: Object | None, context: RouteContext, *, weight: int
) -> JsonPatch | None:
    wanted = {CANARY: TRUE, WEIGHT: str(weight)}
    changes: list[Operation] = []
    if stable is not None:
        wanted = _wanted_annotations(stable, weight=weight)
        if _routes_otherwise(ours, stable, context):
            rules = _towards_canary(stable, context)
            changes.append({"op": "add", "path": "/spec/rules", "value": rules})
    changes += _annotate(ours, wanted)
    changes += _forget(ours, context)
    if not changes:
        return None
    version = ours["metadata"]["resourceVersion"]
    guard = {"op": "replace", "path": "/metadata/resourceVersion", "value": version}
    return _patch(ours, guard, *changes)


def _annotate(ours: Object, wanted: dict[str, str]) -> list[Operation]:
    found = ingresses.annotations_of(ours)
    if not found:
        return [{"op": "add", "path": "/metadata/annotations", "value": wanted}]
    return [
        {"op": "add", "path": pointer("metadata", "annotations", key), "value": value}
        for key, value in wanted.items()
        if found.get(key) != value
    ]


def _forget(ours: Object, context: RouteContext) -> list[Operation]:
    found = ingresses.annotations_of(ours)
    old_mark = found.get(WITHDRAWN_ANNOTATION, context.revision) != context.revision
    dropped = {WEIGHT_TOTAL: WEIGHT_TOTAL in found, WITHDRAWN_ANNOTATION: old_mark}
    return [
        {"op": "remove", "path": pointer("metadata", "annotations", key)}
        for key, drop in dropped.items()
        if drop
    ]


def _patch(ours: Object, *operations: Operation) -> JsonPatch:
    return JsonPatch(
        api_version=API_VERSION,
        kind=KIND,
        namespace=ours["metadata"]["namespace"],
        name=ours["metadata"]["name"],
        operations=operations,
    )
