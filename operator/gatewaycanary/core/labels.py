"""Which label tells the canary's pods from stable's, by the layout that the spec speaks of."""

from __future__ import annotations

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.core import selectors, subsets
from gatewaycanary.core.lookups import Lookup
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import CanaryLabel
from gatewaycanary.core.writes import Object


def label_of(
    spec: GatewayCanarySpec,
    lookup: Lookup,
    *,
    deployment: Object | None,
    service: Object | None,
) -> CanaryLabel | Problem | None:
    """Find the label, or say what is missing; None while the objects are not known."""
    if deployment is None or service is None:
        return None
    chosen = spec.canary.selector_label
    if spec.traffic.subsets is None:
        return selectors.canary_label(deployment, service, chosen=chosen)
    return subsets.label(
        deployment,
        lookup,
        service=spec.resolved_stable_service,
        subsets=spec.traffic.subsets,
        chosen=chosen,
    )
