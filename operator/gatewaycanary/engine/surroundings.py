"""The raw objects around one canary, found by the names that its spec gives."""

from __future__ import annotations

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
    ours = [
        pod
        for pod in lookup.filed("Pod", meta.namespace, owner_token(meta.uid))
        if _is_canary_pod(pod, revision)
    ]
    faults = [fault for pod in ours if (fault := pods.pod_fault(pod, now)) is not None]
    deployment = found.canary_deployment
    if deployment is not None and (refused := pods.workload_fault(deployment)) is not None:
        faults.append(refused)
    looks = [at for pod in ours if (at := pods.look_again_at(pod, now)) is not None]
    return Endpoints(
        stable=_ready(lookup, meta.namespace, context.stable_service),
        canary=_ready(lookup, meta.namespace, context.canary_service),
        canary_newly_ready_at=pods.newly_ready_at(ours),
        canary_fault=faults[0] if faults else None,
        look_again_at=min(looks, default=None),
    )


def _ready(lookup: Lookup, namespace: str, service: str) -> int:
    slices = lookup.filed("EndpointSlice", namespace, token("Service", service))
    return endpoints.ready_endpoints(slices, service)


def _is_canary_pod(pod: Object, revision: str) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return naming.TEST_LABEL not in labels and labels.get(naming.REVISION_LABEL) == revision
