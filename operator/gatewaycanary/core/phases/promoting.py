"""PROMOTING: stable is given the canary's image, by us (Automatic) or by somebody else.

From the write on the canary is the proven side and carries the traffic until stable has rolled
out and holds the baseline; then one status write makes the new image the safe side.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Outcome, Phase, State
from gatewaycanary.core import limits, readiness, reversals, routes
from gatewaycanary.core.decision import Event, SetStableImage, WithdrawWeight
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.rollback import turn_back
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn


def turn(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    """Give stable the image, wait for it, and announce the return of traffic."""
    if state.stable_written:
        return _written(observation, state, spec)
    corrected = routes.correct(observation, state)
    if corrected is not None:
        return corrected
    turned = reversals.broken(observation, state)
    if turned is not None:
        return turned
    if spec.promotion.mode == "Handover":
        return _wait(
            state,
            phase=Phase.AWAITING_HANDOVER,
            reason="AwaitingHandover",
            message=f"100 % passed: waiting for stable to be given {state.image}",
            rest=True,
        )
    return _write(observation, state, spec)


def _write(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    target = observation.target
    if spec.suspend:
        return _wait(
            state,
            phase=Phase.SUSPENDED,
            reason="Suspended",
            message="100 % passed, suspended before the write to stable",
        )
    if readiness.both_empty(observation.endpoints):
        return _wait(
            state,
            phase=Phase.PROMOTING,
            reason="StableUnavailable",
            message="StableUnavailable: neither side has a ready endpoint, stable is not written",
        )
    if target is None or target.replicas < state.baseline_replicas:
        has = 0 if target is None else target.replicas
        return _wait(
            state,
            phase=Phase.PROMOTING,
            reason="StableScaledDown",
            message=f"Stable has {has} of {state.baseline_replicas} replicas: promotion waits",
        )
    if observation.problems:
        return _wait(
            state,
            phase=Phase.PROMOTING,
            reason=observation.problems[0].reason,
            message=observation.problems[0].sentence(),
        )
    waiting = _wait(
        state,
        phase=Phase.PROMOTING,
        reason="Promoting",
        message=f"100 % passed: giving stable {state.image}",
    )
    return replace(waiting, actions=(SetStableImage(image=state.image),))


def _written(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    if _complete(observation, state):
        return _finish(observation, state)
    corrected = routes.correct(observation, state)
    if corrected is not None:
        return corrected
    broken = None if state.adopted else reversals.broken(observation, state)
    return broken or _late(observation, state, spec) or _await_stable(observation, state, spec)


def _complete(observation: Observation, state: State) -> bool:
    target = observation.target
    return (
        target is not None
        and target.image == state.image
        and target.rolled_out
        and target.replicas >= state.baseline_replicas
        and observation.endpoints.stable >= max(1, state.baseline_replicas)
    )


def _finish(observation: Observation, state: State) -> Turn:
    message = f"Stable runs {state.image}: returning all traffic to it"
    finished = replace(
        state,
        stage=advance(state.stage, Move.COMPLETE),
        outcome=Outcome.PROMOTED,
        announced=0,
        stable_written=False,
        adopted=False,
        zero_since=None,
        entered_at=observation.now,
    )
    return Turn(
        state=finished,
        phase=Phase.FINALIZING,
        reason="Promoted",
        message=message,
        promoted=True,
        actions=(WithdrawWeight(),),
        events=(Event(reason="Promoted", message=message),),
        stable_image=state.image,
    )


def _late(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn | None:
    due = _due(state, spec)
    scaled_down = (
        observation.target is None or observation.target.replicas < state.baseline_replicas
    )
    if due is None or observation.now < due or scaled_down:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="PromotionDeadlineExceeded",
        message=f"Stable did not roll out {state.image} in time: its old image is restored",
    )


def _due(state: State, spec: GatewayCanarySpec) -> datetime | None:
    if state.adopted or state.suspended_at is not None or state.entered_at is None:
        return None
    return state.entered_at + limits.limits(spec).progress


def _await_stable(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    target = observation.target
    if target is not None and target.replicas < state.baseline_replicas:
        reason = "StableScaledDown"
        message = f"Stable has {target.replicas} of {state.baseline_replicas} replicas"
    else:
        reason = "StableRollingOut"
        message = f"Waiting for stable to roll out {state.image}"
    overdue = (
        state.adopted
        and state.entered_at is not None
        and observation.now >= state.entered_at + limits.limits(spec).progress
    )
    waiting = _wait(
        state,
        phase=Phase.PROMOTING,
        reason="StableNotReady" if overdue else reason,
        message=f"{message}; traffic stays on the canary" if overdue else message,
    )
    later = _due(replace(state, adopted=False), spec)
    pending = later is not None and observation.now < later
    return replace(waiting, stalled=overdue, look_again_at=later if pending else None)


def _wait(state: State, *, phase: Phase, reason: str, message: str, rest: bool = False) -> Turn:
    return Turn(state=state, phase=phase, reason=reason, message=message, rest=rest)
