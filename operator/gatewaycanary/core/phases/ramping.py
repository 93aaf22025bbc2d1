"""RAMPING: the announced weight is in the route, or on its way; its gates are judged in order.

Read back, settled, tests, hold, approval; then the step is recorded and the next one announced in
the same status write. Where the canary must first grow for the next weight, the step is recorded
and the announcement waits (``recorded == announced``).
"""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Phase, State, StepRecord
from gatewaycanary.core import (
    gates,
    limits,
    raising,
    readiness,
    reversals,
    routes,
    workload,
)
from gatewaycanary.core.decision import Event
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn

HISTORY_LENGTH = 32


def turn(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    """Judge the announced weight's gates and go on, wait, or turn back."""
    following = next_weight(spec, state.recorded)
    waits_for_pods = state.recorded == state.announced
    needed = state.need
    if waits_for_pods and following is not None:
        needed = readiness.need(spec, weight=following, baseline=state.baseline_replicas)
    state = readiness.follow(state, observation.endpoints, needed=needed, now=observation.now)
    corrected = routes.correct(observation, state)
    if corrected is not None:
        return corrected
    if waits_for_pods:
        return _grow(observation, state, spec, following=following, needed=needed)
    judged = gates.judge(observation, state, spec)
    if isinstance(judged, State):
        return record(observation, judged, spec)
    return judged


def next_weight(spec: GatewayCanarySpec, recorded: int) -> int | None:
    """Give the first weight above the recorded one; None at the top."""
    return next((weight for weight in spec.weights if weight > recorded), None)


def record(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    """Record the step and announce what follows, in one status write."""
    entry = StepRecord(
        weight=state.announced,
        entered_at=state.entered_at,
        left_at=observation.now,
        tests_passed=state.tests_passed,
        tests_failed=state.tests_failed,
    )
    history = (*observation.status.history, entry)[-HISTORY_LENGTH:]
    target = observation.target
    baseline = max(state.baseline_replicas, target.replicas if target else 0)
    recorded = replace(
        state,
        recorded=state.announced,
        baseline_replicas=baseline,
        raised_at=state.raised_at or observation.now,
    )
    following = next_weight(spec, recorded.recorded)
    tests = observation.tests.results or None
    if following is None:
        return replace(promote(observation, recorded, spec, history=history), tests=tests)
    raised = raising.announce(observation, recorded, spec, weight=following, history=history)
    if raised is not None:
        return replace(raised, tests=tests)
    needed = readiness.need(spec, weight=following, baseline=baseline)
    grown = _grow(observation, recorded, spec, following=following, needed=needed)
    return replace(grown, history=history, tests=tests)


def promote(
    observation: Observation,
    state: State,
    spec: GatewayCanarySpec,
    *,
    history: tuple[StepRecord, ...],
) -> Turn:
    """Announce the promotion; the first write to stable follows from the next observation."""
    handover = spec.promotion.mode == "Handover"
    phase = Phase.AWAITING_HANDOVER if handover else Phase.PROMOTING
    message = (
        f"100 % passed: waiting for stable to be given {state.image}"
        if handover
        else f"100 % passed: giving stable {state.image}"
    )
    reason = str(phase)
    return Turn(
        state=replace(
            state,
            stage=advance(state.stage, Move.PROMOTE),
            entered_at=observation.now,
            corrections=0,
            corrected_version="",
        ),
        phase=phase,
        reason=reason,
        message=message,
        rest=handover,
        events=(Event(reason=reason, message=message),),
        history=history,
    )


def _grow(
    observation: Observation,
    state: State,
    spec: GatewayCanarySpec,
    *,
    following: int | None,
    needed: int,
) -> Turn:
    if following is None:
        return promote(observation, state, spec, history=observation.status.history)
    raised = raising.announce(observation, state, spec, weight=following)
    if raised is not None:
        return raised
    turned = reversals.broken(observation, state)
    if turned is not None:
        return turned
    suspended = spec.suspend
    waiting = workload.waiting_for(observation, needed=needed)
    return Turn(
        state=state,
        phase=Phase.SUSPENDED if suspended else Phase.SHIFTING,
        reason="Suspended" if suspended else workload.wait_reason(observation),
        message=f"{state.recorded} % passed, suspended" if suspended else waiting,
        actions=workload.wanted(observation, state, replicas=needed),
        look_again_at=readiness.deadline(
            state, observation.endpoints, limits.limits(spec).progress
        ),
    )


def adopt(observation: Observation, state: State) -> Turn:
    """Go on with a promotion that somebody else has begun: no more raises."""
    message = f"Somebody else gave stable {state.image}: no more raises, waiting for it"
    return Turn(
        state=replace(
            state,
            stage=advance(state.stage, Move.ADOPT),
            entered_at=observation.now,
            corrections=0,
            corrected_version="",
        ),
        phase=Phase.PROMOTING,
        reason="StableAdopted",
        message=message,
        events=(Event(reason="StableAdopted", message=message),),
    )
