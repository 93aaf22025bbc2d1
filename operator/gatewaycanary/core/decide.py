"""The one function from what is to what should be done.

``decide`` is total and deterministic: every observation has an answer, and the same observation
always has the same one. It neither reads a clock nor performs anything.
"""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.status import Stage, State
from gatewaycanary.core import report, reversals, suspension, workload
from gatewaycanary.core.decision import (
    Decision,
    DisownRoute,
    RaiseWeight,
    RestoreRoute,
    WithdrawWeight,
)
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.phases import (
    finalizing,
    preparing,
    promoting,
    ramping,
    resting,
    rolling_back,
)
from gatewaycanary.core.turn import Turn

PURSUED = frozenset({Stage.RAMPING, Stage.PROMOTING})
ROUTE_WRITES = (RaiseWeight, WithdrawWeight, RestoreRoute)
HELD = PURSUED | {Stage.PREPARING}
"""Where the target's autoscaler must not shrink stable, whose traffic goes away."""


def decide(observation: Observation) -> Decision:
    """Decide what to do about one GatewayCanary."""
    state = _follow_problems(observation, _follow_suspension(observation))
    return report.decision(observation, _disowned(observation, _turn(observation, state)))


def _disowned(observation: Observation, turn: Turn) -> Turn:
    """Give a person's route back to its owner; each write of the route does so by itself."""
    if not observation.route.claimed or turn.state.stage is Stage.RESTING:
        return turn
    if any(isinstance(one, ROUTE_WRITES) for one in turn.urgent + turn.actions):
        return turn
    return replace(turn, actions=(*turn.actions, DisownRoute()))


def _follow_suspension(observation: Observation) -> State:
    state = observation.status.state
    if state.stage is Stage.RESTING or observation.spec is None:
        return state
    return suspension.follow(state, suspend=observation.spec.suspend, now=observation.now)


def _follow_problems(observation: Observation, state: State) -> State:
    if not observation.problems:
        return state if state.problem_since is None else replace(state, problem_since=None)
    return state if state.problem_since else replace(state, problem_since=observation.now)


def _follow_stable(observation: Observation, state: State) -> State:
    """Note that stable carries the canary's image, whoever wrote it."""
    target = observation.target
    carries = target is not None and target.image == state.image
    if state.stable_written or not carries or state.stage not in PURSUED:
        return state
    handover = observation.spec is not None and observation.spec.promotion.mode == "Handover"
    return replace(
        state,
        stable_written=True,
        adopted=handover or state.stage is Stage.RAMPING,
        entered_at=observation.now,
    )


def _turn(observation: Observation, state: State) -> Turn:
    match state.stage:
        case Stage.RESTING:
            return resting.turn(observation, state)
        case Stage.ROLLING_BACK:
            return rolling_back.turn(observation, state)
        case Stage.FINALIZING:
            return finalizing.turn(observation, state)
        case _:
            return _pursue(observation, _follow_stable(observation, state))


def _pursue(observation: Observation, state: State) -> Turn:
    turn = _go_on(observation, workload.follow_autoscaler(observation, state))
    if turn.state.stage not in HELD:
        return turn
    return replace(turn, actions=workload.hold_autoscaler(observation) + turn.actions)


def _go_on(observation: Observation, state: State) -> Turn:
    turned = reversals.ordered(observation, state)
    if turned is not None:
        return turned
    spec = observation.spec
    if spec is None:
        return resting.invalid(observation, state)
    if state.stage is Stage.PREPARING:
        return preparing.turn(observation, state, spec)
    if state.stage is Stage.PROMOTING:
        return promoting.turn(observation, state, spec)
    if state.stable_written:
        return ramping.adopt(observation, state)
    return ramping.turn(observation, state, spec)
