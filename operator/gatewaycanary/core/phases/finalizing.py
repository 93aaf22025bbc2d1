"""FINALIZING: the route reads 0; what is ours goes when nothing can flow to it any more.

No canary pod goes before the route has read 0, or lacked our destination, for the whole delay.
The evidence of a failure is kept until the status holds it. At the end nothing of ours is left.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gatewaycanary.api.status import LOG_TAIL_LENGTH, Outcome, Phase, State, Verdict
from gatewaycanary.core import limits, rollback
from gatewaycanary.core.decision import (
    Action,
    DeleteCanary,
    DeleteTests,
    Event,
    ReadTestLog,
    ReleaseAutoscaler,
    RemoveFinalizer,
    RestoreRoute,
    WithdrawWeight,
)
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn

PODS_STAY = "Traffic is off the canary: its pods stay for the scale-down delay"


def turn(observation: Observation, state: State) -> Turn:
    """Keep the evidence, wait out the delay, delete what is ours, end."""
    if rollback.carries_traffic(observation) or observation.route_unwritable_since is not None:
        given_up = rollback.given_up(observation, state)
        if given_up is not None:
            return given_up
    if rollback.carries_traffic(observation):
        return _withdraw(observation, state)
    if state.zero_since is None and not _unread(observation):
        state = replace(state, zero_since=observation.now)
    kept = _keep_evidence(observation, state) or _pods_stay(observation, state)
    if kept is not None:
        return kept
    left = _left(observation, state)
    if left:
        deleting = _waiting(observation, state, "Deleting what the rollout made", actions=left)
        return replace(deleting, silent=True)
    return _end(observation, state)


def _pods_stay(observation: Observation, state: State) -> Turn | None:
    if _unread(observation):
        return _await_reading(observation, state)
    if observation.canary is None or state.zero_since is None:
        return None
    until = state.zero_since + limits.limits(observation.spec).pods_stay
    if observation.now >= until:
        return None
    return _waiting(observation, state, PODS_STAY, actions=_released(observation, state), at=until)


def _unread(observation: Observation) -> bool:
    """Tell whether gateways are known to go by an older weight than the route's 0."""
    route = observation.route
    return route.attached and route.settled is False and observation.canary is not None


def _await_reading(observation: Observation, state: State) -> Turn:
    """Keep the pods: traffic may still flow to them."""
    since = state.entered_at or observation.now
    bound = since + limits.UNWRITABLE_ROUTE_BOUND
    if observation.meta.deleting and observation.now >= bound:
        return rollback.let_go(
            observation, state, reason="RouteNotRead", why="No gateway reads the route"
        )
    late = since + limits.limits(observation.spec).progress
    waiting = _waiting(
        observation,
        replace(state, zero_since=None),
        "No gateway has read weight 0 from the route yet: the canary's pods stay",
        at=bound if observation.meta.deleting else late,
    )
    return replace(waiting, reason="RouteNotRead", stalled=observation.now >= late)


def _withdraw(observation: Observation, state: State) -> Turn:
    mark = "" if state.outcome is Outcome.PROMOTED else state.revision
    if observation.endpoints.stable == 0:
        return replace(
            _waiting(
                observation,
                replace(state, zero_since=None),
                "StableUnavailable: stable has no ready endpoint, traffic stays on the canary",
            ),
            reason="StableUnavailable",
            stalled=True,
        )
    turned = _waiting(
        observation, replace(state, zero_since=None), "Returning all traffic to stable"
    )
    write = (WithdrawWeight(mark=mark),)
    if state.zero_since is None:
        return replace(turned, urgent=write)
    # NB: a crash after a write that goes first would leave the old moment to count the delay from.
    return replace(turned, actions=write)


def _keep_evidence(observation: Observation, state: State) -> Turn | None:
    if not state.evidence_pending:
        return None
    tail = observation.tests.log_tail[-LOG_TAIL_LENGTH:]
    if not tail:
        reading = _waiting(observation, state, PODS_STAY, actions=(ReadTestLog(),))
        return replace(reading, silent=True)
    failed = observation.status.failure.test if observation.status.failure else ""
    results = tuple(
        replace(result, log_tail=tail)
        if result.name == failed or result.verdict is Verdict.FAILED
        else result
        for result in observation.status.tests
    )
    kept = _waiting(
        observation,
        replace(state, evidence_pending=False),
        PODS_STAY,
    )
    last = tail.strip().splitlines()[-1][:512] if tail.strip() else "no output"
    event = Event(reason="TestLog", message=f"{failed or 'test'}: {last}", warning=True)
    return replace(kept, tests=results, events=(event,))


def _released(observation: Observation, state: State) -> tuple[Action, ...]:
    autoscaler = observation.autoscaler
    if autoscaler is None or not autoscaler.held or autoscaler.name != state.autoscaler:
        return ()
    if autoscaler.select_policy == state.autoscaler_original:
        return ()
    return (ReleaseAutoscaler(name=autoscaler.name, original=state.autoscaler_original),)


def _left(observation: Observation, state: State) -> tuple[Action, ...]:
    objects: list[Action] = list(_released(observation, state))
    if observation.route.left:
        objects.append(RestoreRoute())
    canary = observation.canary
    if (canary is not None and not canary.deleting) or observation.canary_service:
        objects.append(DeleteCanary())
    if observation.tests.objects_left:
        objects.append(DeleteTests())
    if not objects and observation.meta.finalizer:
        objects.append(RemoveFinalizer())
    return tuple(objects)


def _waiting(
    observation: Observation,
    state: State,
    message: str,
    *,
    actions: tuple[Action, ...] = (),
    at: datetime | None = None,
) -> Turn:
    promoted = state.outcome is Outcome.PROMOTED
    failure = observation.status.failure
    return Turn(
        state=state,
        phase=Phase.FINALIZING if promoted else Phase.ROLLING_BACK,
        reason="Finalizing" if promoted or failure is None else failure.reason,
        message=message if failure is None else f"{failure.reason}: {message}",
        promoted=promoted,
        actions=actions,
        look_again_at=at,
    )


STARTS_OVER = frozenset({Outcome.SUPERSEDED, Outcome.INVALID, Outcome.SET_BACK})


def _end(observation: Observation, state: State) -> Turn:
    ended = replace(
        state,
        stage=advance(state.stage, Move.END),
        image="" if state.outcome in STARTS_OVER else state.image,
        recorded=0,
        announced=0,
        entered_at=None,
        raised_at=None,
        short_since=None,
        need=0,
        zero_since=None,
        route=None,
        autoscaler="",
        autoscaler_original=None,
        evidence_pending=False,
        abort_seen=observation.meta.abort,
        retry_seen=observation.meta.retry,
    )
    return _resting(observation, ended)


def _resting(observation: Observation, state: State) -> Turn:
    failure = observation.status.failure
    if state.outcome is Outcome.PROMOTED:
        message = f"{state.image} is promoted"
        return Turn(
            state=state,
            phase=Phase.SUCCEEDED,
            reason="Succeeded",
            message=message,
            rest=True,
            promoted=True,
            completed=True,
            events=(Event(reason="Succeeded", message=message),),
        )
    why = f"{failure.reason}: {failure.message}" if failure else "rolled back"
    if state.outcome in rollback.FAILED_OUTCOMES:
        return Turn(
            state=state,
            phase=Phase.FAILED,
            reason=failure.reason if failure else "Failed",
            message=why,
            stalled=True,
            promoted=False,
            completed=True,
            events=(Event(reason="RolledBack", message=why, warning=True),),
        )
    return Turn(
        state=state,
        phase=Phase.PENDING,
        reason=str(state.outcome),
        message=why,
        completed=True,
    )
