"""PREPARING: the canary is made ready for the first weight; no traffic flows yet."""

from __future__ import annotations

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Phase, State
from gatewaycanary.core import limits, raising, readiness, reversals, workload
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.turn import Turn


def turn(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    """Create the canary, wait for its pods, then announce the first weight."""
    weight = spec.weights[0]
    needed = readiness.need(spec, weight=weight, baseline=state.baseline_replicas)
    state = readiness.follow(state, observation.endpoints, needed=needed, now=observation.now)
    actions = workload.wanted(observation, state, replicas=needed)
    if not actions:
        raised = raising.announce(observation, state, spec, weight=weight)
        if raised is not None:
            return raised
    turned = reversals.broken(observation, state)
    if turned is not None:
        return turned
    return Turn(
        state=state,
        phase=Phase.SUSPENDED if spec.suspend else Phase.PREPARING,
        reason="Suspended" if spec.suspend else workload.wait_reason(observation),
        message=workload.waiting_for(observation, needed=needed),
        actions=actions,
        look_again_at=readiness.deadline(
            state, observation.endpoints, limits.limits(spec).progress
        ),
    )
