"""How a rollout turns back: the reason, the safe side, and the write that waits for nothing.

Before the first write to stable, stable is the safe side and weight 0 goes out as soon as stable
has one ready endpoint. From that write on the canary is the proven side: stable first gets its old
image back, and the route goes to 0 when stable can carry the load, or at a bound.
"""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.status import Failure, Outcome, Phase, Stage, State
from gatewaycanary.core import limits
from gatewaycanary.core.decision import (
    Action,
    Event,
    RemoveFinalizer,
    SetStableImage,
    WithdrawWeight,
)
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn

FAILED_OUTCOMES = frozenset({Outcome.FAILED, Outcome.ABORTED})
WARNED = FAILED_OUTCOMES | {Outcome.INVALID}


def carries_traffic(observation: Observation) -> bool:
    """Tell whether the route may send anything to the canary; on deletion a missing one is done."""
    route = observation.route
    if observation.meta.deleting and not route.present:
        return False
    return route.attached and route.weight != 0


def restores_stable(observation: Observation, state: State) -> tuple[Action, ...]:
    """Give stable its old image back, where it was we who took it away."""
    target = observation.target
    ours = state.stable_written or _may_be_under_way(observation, state)
    if not ours or state.adopted or target is None or target.image != state.image:
        return ()
    old = observation.status.stable_image
    return (SetStableImage(image=old),) if old and old != state.image else ()


def _may_be_under_way(observation: Observation, state: State) -> bool:
    """Tell whether our write to stable may have come after the look that turned back.

    A deposed leader's last request may do so, and one whose answer was lost.
    """
    spec = observation.spec
    automatic = spec is None or spec.promotion.mode == "Automatic"
    return automatic and state.stage is Stage.ROLLING_BACK and state.recorded == 100


def may_withdraw(observation: Observation, state: State) -> bool:
    """Tell whether weight 0 may go out now, by the rule of the safe side."""
    endpoints = observation.endpoints
    if endpoints.stable == 0:
        return False
    if not state.stable_written or endpoints.canary == 0:
        return True
    return _stable_recovered(observation, state) or bound_passed(observation, state)


def _stable_recovered(observation: Observation, state: State) -> bool:
    target = observation.target
    if target is None or not target.rolled_out:
        return False
    awaited = not state.adopted and target.image == state.image
    return not awaited and observation.endpoints.stable >= min(
        state.baseline_replicas, target.replicas
    )


def bound_passed(observation: Observation, state: State) -> bool:
    """Tell whether the wait for stable's recovery has lasted for the progress deadline."""
    limit = limits.limits(observation.spec).progress
    return (
        not state.adopted
        and state.stage is Stage.ROLLING_BACK
        and state.entered_at is not None
        and observation.now >= state.entered_at + limit
    )


def withdrawal(observation: Observation, state: State) -> tuple[Action, ...]:
    """Give the write that takes all traffic off the canary, if it is due and allowed."""
    if not carries_traffic(observation) or not may_withdraw(observation, state):
        return ()
    return (WithdrawWeight(mark=state.revision),)


def given_up(observation: Observation, state: State) -> Turn | None:
    """Let a deleted object go whose traffic cannot be returned; the canary's pods stay then."""
    if not observation.meta.deleting:
        return None
    if observation.target is None and observation.endpoints.stable == 0:
        return let_go(
            observation, state, reason="TargetNotFound", why="The target is gone, traffic stays"
        )
    since = observation.route_unwritable_since
    if since is None or observation.now < since + limits.UNWRITABLE_ROUTE_BOUND:
        return None
    return let_go(observation, state, reason="RouteUnwritable", why="The route cannot be written")


def let_go(observation: Observation, state: State, *, reason: str, why: str) -> Turn:
    """Let a deleted object go and leave the canary's pods where they are."""
    message = f"{why}: the finalizer goes, the canary's pods stay"
    return Turn(
        state=state,
        phase=Phase.ROLLING_BACK,
        reason=reason,
        message=message,
        stalled=True,
        actions=(RemoveFinalizer(),) if observation.meta.finalizer else (),
        events=(Event(reason=reason, message=message, warning=True),),
    )


def turn_back(
    observation: Observation,
    state: State,
    *,
    outcome: Outcome,
    reason: str,
    message: str,
    test: str = "",
) -> Turn:
    """Leave the ramp: traffic first, then this status, then the clean-up."""
    failure = Failure(
        reason=reason,
        message=message,
        step=observation.status.step,
        weight=state.announced,
        test=test,
    )
    turned = replace(
        state,
        stage=advance(state.stage, Move.TURN_BACK),
        outcome=outcome,
        entered_at=observation.now,
        evidence_pending=bool(test),
    )
    return Turn(
        state=turned,
        phase=Phase.ROLLING_BACK,
        reason=reason,
        message=message,
        urgent=withdrawal(observation, state),
        actions=restores_stable(observation, turned),
        events=(Event(reason=reason, message=message, warning=outcome in WARNED),),
        failure=failure,
        tests=observation.tests.results if test else None,
    )
