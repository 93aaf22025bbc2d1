"""The gates of a weight that stands in the route: settled, tests, capacity, hold, approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import HelmTestResult, Outcome, Phase, State
from gatewaycanary.core import limits, readiness, reversals, suites
from gatewaycanary.core.decision import Event
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.rollback import turn_back
from gatewaycanary.core.turn import Turn


def judge(observation: Observation, state: State, spec: GatewayCanarySpec) -> State | Turn:
    """Give the state whose gates have all passed, or the turn that waits or turns back."""
    seen = state if state.raised_at else replace(state, raised_at=observation.now)
    if readiness.both_empty(observation.endpoints):
        return _nobody_serves(seen)
    settling = _settling(observation, seen, spec)
    if settling is not None:
        return settling
    gate, tested = suites.follow(observation, seen, spec)
    if gate is suites.Gate.FAILED:
        return _tests_failed(observation, tested)
    turned = reversals.broken(observation, tested)
    if turned is not None:
        return turned
    if gate is suites.Gate.WAITING:
        return _testing(observation, tested, spec)
    return (
        _capacity(observation, tested)
        or _held(observation, tested, spec)
        or (_approval(observation, tested, spec) or _accepted(observation, tested, spec))
    )


def _settling(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn | None:
    if state.run > 0 or state.suites_passed or observation.route.settled is True:
        return None
    raised_at = state.raised_at or observation.now
    settled_at = raised_at + limits.limits(spec).settle
    told = observation.route.settled is False
    due = raised_at + limits.limits(spec).progress if told else settled_at
    if not told and observation.now >= due:
        return None
    turned = reversals.broken(observation, state) or _unread(observation, state, due=due)
    return turned or Turn(
        state=state,
        phase=Phase.SHIFTING,
        reason="Settling",
        message=f"{state.announced} % is in the route: waiting for the data plane",
        look_again_at=due,
    )


def _unread(observation: Observation, state: State, *, due: datetime) -> Turn | None:
    if state.suspended_at is not None or observation.now < due:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="RouteNotRead",
        message=f"No gateway has read {state.announced} % from the route in time",
    )


def _nobody_serves(state: State) -> Turn:
    return Turn(
        state=state,
        phase=Phase.SHIFTING,
        reason="StableUnavailable",
        message="StableUnavailable: neither side has a ready endpoint, nothing is decided until "
        "one is back",
    )


def _tests_failed(observation: Observation, state: State) -> Turn:
    reason, message, test = suites.verdict(observation, state)
    return turn_back(
        observation, state, outcome=Outcome.FAILED, reason=reason, message=message, test=test
    )


def _testing(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn:
    again = state.run > 1 and observation.status.state.run != state.run
    message = f"Testing at {state.announced} %: run {state.run}"
    events = (
        (Event(reason="TestsRepeated", message=f"{message}: {observation.tests.message}"),)
        if again
        else ()
    )
    return Turn(
        state=state,
        phase=Phase.TESTING,
        reason="Testing",
        message=message,
        actions=suites.effects(observation, state),
        events=events,
        tests=observation.tests.results if again else None,
        look_again_at=_earliest(
            observation.tests.look_again_at,
            suites.due_at(state, spec),
            observation.endpoints.look_again_at,
        ),
    )


def _capacity(observation: Observation, state: State) -> Turn | None:
    if readiness.holds(observation.endpoints, state.need):
        return None
    due = readiness.deadline(state, observation.endpoints, limits.limits(observation.spec).progress)
    return Turn(
        state=state,
        phase=Phase.SHIFTING,
        reason="CanaryNotReady",
        message=f"Waiting for the canary: it needs {state.need} ready endpoints",
        look_again_at=due,
    )


def _held(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn | None:
    hold = spec.step(state.announced).hold
    if hold is None or state.raised_at is None:
        return None
    until = state.raised_at + hold
    if observation.now >= until:
        return None
    return Turn(
        state=state,
        phase=Phase.HOLDING,
        reason="Holding",
        message=f"Holding at {state.announced} % until {until:%Y-%m-%dT%H:%M:%SZ}",
        tests=_results(observation, state),
        look_again_at=until,
    )


def _approval(observation: Observation, state: State, spec: GatewayCanarySpec) -> Turn | None:
    if not spec.step(state.announced).approval:
        return None
    wanted = f"{state.revision}/{state.announced}"
    given = observation.meta.approve
    if given == wanted and given != state.approve_seen:
        return None
    message = f"{state.announced} % passed: approve with canary.soma.dev/approve={wanted}"
    entering = observation.status.phase is not Phase.AWAITING_APPROVAL
    return Turn(
        state=state,
        phase=Phase.AWAITING_APPROVAL,
        reason="AwaitingApproval",
        message=message,
        tests=_results(observation, state),
        events=(Event(reason="AwaitingApproval", message=message),) if entering else (),
    )


def _accepted(observation: Observation, state: State, spec: GatewayCanarySpec) -> State | Turn:
    approved = spec.step(state.announced).approval
    return replace(state, approve_seen=observation.meta.approve) if approved else state


def _results(observation: Observation, state: State) -> tuple[HelmTestResult, ...] | None:
    results = observation.tests.results
    return results if state.suites_passed and results else None


def _earliest(*moments: datetime | None) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return min(known) if known else None
