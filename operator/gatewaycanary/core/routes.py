"""The route against the announced weight: the raise still to come, or drift to be put back.

State is the recorded step, never the live weight. A correction is announced by a status write that
names the route's version it answers, so that repeating it counts nothing twice.
"""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.status import Phase, Stage, State
from gatewaycanary.core import limits, raising, readiness, reversals
from gatewaycanary.core.decision import Event, RaiseWeight
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.turn import Turn


def in_place(observation: Observation, state: State) -> bool:
    """Tell whether the route carries the announced weight."""
    route = observation.route
    return route.attached and route.weight == state.announced


def correct(observation: Observation, state: State) -> Turn | None:
    """Write the announced weight where the route does not carry it."""
    if in_place(observation, state):
        return None
    turned = reversals.broken(observation, state)
    if turned is not None:
        return turned
    if not _upward(observation, state):
        return _put_back(observation, state)
    if not raising.allowed(observation, needed=state.need):
        return _waiting(observation, state)
    if _raise_is_due(observation, state):
        return _raise(_found(observation, state))
    return _put_back(observation, state)


def _found(observation: Observation, state: State) -> State:
    """Take what stands in a person's route for what is to be put back, unless it is ours."""
    return replace(state, route=observation.route.written_by_owner or state.route)


def _upward(observation: Observation, state: State) -> bool:
    weight = observation.route.weight
    return not observation.route.attached or weight is None or weight < state.announced


def _raise_is_due(observation: Observation, state: State) -> bool:
    if state.raised_at is not None:
        return False
    route = observation.route
    if state.recorded == 0:
        return not route.attached or (route.weight == 0 and route.zero_at_start)
    return route.attached and route.weight == state.recorded


def _raise(state: State) -> Turn:
    return Turn(
        state=state,
        phase=Phase.SHIFTING,
        reason="Raising",
        message=f"Raising the canary's weight from {state.recorded} to {state.announced} %",
        actions=(RaiseWeight(weight=state.announced),),
    )


def _put_back(observation: Observation, state: State) -> Turn:
    route = observation.route
    if observation.endpoints.stable == 0:
        return _waiting(observation, state)
    known = state.corrected_version == route.version and route.version != ""
    corrected = state
    if not known:
        corrected = replace(
            _found(observation, state),
            corrections=state.corrections + 1,
            corrected_version=route.version,
        )
    if state.stage is Stage.RAMPING and corrected.corrections > reversals.CORRECTIONS_ALLOWED:
        turned = reversals.ordered(observation, corrected)
        if turned is not None:
            return turned
    message = f"The route carried {route.text or 'no weight'}: putting {state.announced} % back"
    return Turn(
        state=corrected,
        phase=Phase.SHIFTING if state.stage is Stage.RAMPING else Phase.PROMOTING,
        reason="Drift",
        message=message,
        actions=(RaiseWeight(weight=state.announced),),
        events=() if known else (Event(reason="Drift", message=message, warning=True),),
    )


def _waiting(observation: Observation, state: State) -> Turn:
    if state.short_since is None:
        state = readiness.follow(
            state, observation.endpoints, needed=state.need, now=observation.now
        )
    suspended = state.suspended_at is not None
    reason = "Suspended" if suspended else "StableUnavailable"
    if not suspended and observation.endpoints.stable > 0:
        reason = "CanaryNotReady"
    return Turn(
        state=state,
        phase=Phase.SUSPENDED if suspended else Phase.SHIFTING,
        reason=reason,
        message=f"{reason}: {state.announced} % is announced and not written",
        look_again_at=readiness.deadline(
            state, observation.endpoints, limits.limits(observation.spec).progress
        ),
    )
