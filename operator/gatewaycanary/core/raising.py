"""When a weight may be raised, and how the raise is announced."""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Phase, State, StepRecord
from gatewaycanary.core import readiness, suites
from gatewaycanary.core.decision import Event, RaiseWeight
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn


def allowed(observation: Observation, *, needed: int) -> bool:
    """Tell whether both sides can carry a raise that needs so many canary endpoints."""
    endpoints = observation.endpoints
    suspended = observation.spec is None or observation.spec.suspend
    clean = not observation.problems and not observation.meta.deleting
    return (
        clean
        and not suspended
        and observation.target is not None
        and endpoints.stable > 0
        and observation.canary_service
        and readiness.holds(endpoints, needed)
    )


def announce(
    observation: Observation,
    state: State,
    spec: GatewayCanarySpec,
    *,
    weight: int,
    history: tuple[StepRecord, ...] | None = None,
) -> Turn | None:
    """Announce a weight and write it, or None where the canary or stable is not ready for it."""
    needed = readiness.need(spec, weight=weight, baseline=state.baseline_replicas)
    if not allowed(observation, needed=needed):
        return None
    raised = replace(
        suites.reset(state),
        stage=advance(state.stage, Move.RAISE),
        announced=weight,
        need=needed,
        entered_at=observation.now,
        raised_at=None,
        short_since=None,
        corrections=0,
        corrected_version="",
        route=state.route or observation.route.found,
    )
    message = f"Raising the canary's weight from {state.recorded} to {weight} %"
    return Turn(
        state=raised,
        phase=Phase.SHIFTING,
        reason="Raising",
        message=message,
        actions=(RaiseWeight(weight=weight),),
        events=(Event(reason="Raising", message=message),),
        history=history,
    )
