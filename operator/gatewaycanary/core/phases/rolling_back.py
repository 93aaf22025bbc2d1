"""ROLLING_BACK: traffic leaves the canary; nothing else is done before the route reads 0."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gatewaycanary.api.status import Outcome, Phase, State
from gatewaycanary.core import limits, rollback
from gatewaycanary.core.decision import Event
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn


def turn(observation: Observation, state: State) -> Turn:
    """Write weight 0 as soon as the safe side can take the traffic."""
    restoring = rollback.restores_stable(observation, state)
    if not rollback.carries_traffic(observation) and not restoring:
        return _withdrawn(observation, state)
    failure = observation.status.failure
    reason = failure.reason if failure else str(state.outcome)
    given_up = rollback.given_up(observation, state)
    if given_up is not None:
        return given_up
    stays = rollback.carries_traffic(observation) and not rollback.may_withdraw(observation, state)
    waiting = _awaited(observation, state) if stays else "traffic returns to stable"
    return Turn(
        state=state,
        phase=Phase.ROLLING_BACK,
        reason=waiting.split(":")[0] if stays else reason,
        message=f"{reason}: {waiting}",
        stalled=stays and _nothing_comes(observation, state),
        urgent=rollback.withdrawal(observation, state),
        actions=restoring,
        look_again_at=_bound(observation, state),
    )


def _awaited(observation: Observation, state: State) -> str:
    if observation.endpoints.stable == 0:
        return "StableUnavailable: stable has no ready endpoint, traffic stays on the canary"
    wanted = min(
        state.baseline_replicas,
        observation.target.replicas if observation.target else state.baseline_replicas,
    )
    return (
        f"StableNotReady: stable needs {wanted} ready endpoints, "
        "traffic stays on the canary until then"
    )


def _nothing_comes(observation: Observation, state: State) -> bool:
    if state.adopted:
        limit = limits.limits(observation.spec).progress
        return state.entered_at is not None and observation.now >= state.entered_at + limit
    late = rollback.bound_passed(observation, state) or not state.stable_written
    return observation.endpoints.stable == 0 and late


def _bound(observation: Observation, state: State) -> datetime | None:
    moments = []
    if state.stable_written and state.entered_at is not None:
        moments.append(state.entered_at + limits.limits(observation.spec).progress)
    if observation.meta.deleting and observation.route_unwritable_since is not None:
        moments.append(observation.route_unwritable_since + limits.UNWRITABLE_ROUTE_BOUND)
    coming = [moment for moment in moments if moment > observation.now]
    return min(coming) if coming else None


def _withdrawn(observation: Observation, state: State) -> Turn:
    reason = observation.status.failure.reason if observation.status.failure else "Withdrawn"
    message = f"{reason}: all traffic is on stable"
    return Turn(
        state=replace(
            state,
            stage=advance(state.stage, Move.WITHDRAWN),
            outcome=state.outcome or Outcome.FAILED,
            announced=0,
            stable_written=False,
            adopted=False,
            zero_since=observation.now,
            entered_at=observation.now,
        ),
        phase=Phase.ROLLING_BACK,
        reason=reason,
        message=message,
        events=(Event(reason="TrafficReturned", message=message),),
    )
