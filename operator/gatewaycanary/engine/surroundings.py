"""The raw objects around one canary, found by the names that its spec gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gatewaycanary.core import autoscalers, endpoints, naming, pods
from gatewaycanary.core.lookups import Lookup, owner_token, token
from gatewaycanary.core.observation import Endpoints, Meta
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic.protocol import RouteContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What effects are made from; None where there is no such object."""

    deployment: Object | None = None
    canary_deployment: Object | None = None
    stable_service: Object | None = None
    canary_service: Object | None = None
    autoscaler: Object | None = None


def look(lookup: Lookup, context: RouteContext) -> Surroundings:
    """Find the objects."""
    namespace, target = context.namespace, context.target
    scalers = lookup.filed("HorizontalPodAutoscaler", namespace, token("Deployment", target))
    return Surroundings(
        deployment=lookup.get("Deployment", namespace, target),
        canary_deployment=lookup.get("Deployment", namespace, naming.canary_name(target)),
        stable_service=lookup.get("Service", namespace, context.stable_service),
        canary_service=lookup.get("Service", namespace, context.canary_service),
        autoscaler=autoscalers.find(scalers, target),
    )


def both_sides(
    lookup: Lookup,
    context: RouteContext,
    found: Surroundings,
    *,
    meta: Meta,
    revision: str,
    now: datetime,
) -> Endpoints:
    """Count the ready endpoints of both sides and read the canary pods' news."""
    owned = list(lookup.filed("Pod", meta.namespace, owner_token(meta.uid)))
    ours = [pod for pod in owned if _is_canary_pod(pod, revision)]
    faults = [fault for pod in ours if (fault := pods.pod_fault(pod, now)) is not None]
    deployment = found.canary_deployment
    if deployment is not None and (refused := pods.workload_fault(deployment)) is not None:
        faults.append(refused)
    looks = [at for pod in ours if (at := pods.look_again_at(pod, now)) is not None]
    of_canary = _slices(lookup, meta.namespace, context.canary_service)
    return Endpoints(
        stable=endpoints.ready_endpoints(
            _slices(lookup, meta.namespace, context.stable_service),
            context.stable_service,
            without=_not_stable(context, owned, of_canary),
        ),
        canary=endpoints.ready_endpoints(of_canary, context.canary_service),
        canary_newly_ready_at=pods.newly_ready_at(ours),
        canary_fault=faults[0] if faults else None,
        look_again_at=min(looks, default=None),
    )


def _slices(lookup: Lookup, namespace: str, service: str) -> list[Object]:
    return list(lookup.filed("EndpointSlice", namespace, token("Service", service)))


def _not_stable(
    context: RouteContext, owned: Iterable[Object], of_canary: Iterable[Object]
) -> set[str]:
    """Give the pods that the stable Service of a mesh with one host has from the canary."""
    if context.subsets is None:
        return set()
    behind = endpoints.pods_behind(of_canary, context.canary_service)
    return behind | {str(pod["metadata"].get("uid", "")) for pod in owned}


def _is_canary_pod(pod: Object, revision: str) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return naming.TEST_LABEL not in labels and labels.get(naming.REVISION_LABEL) == revision
