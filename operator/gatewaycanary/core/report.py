"""The status and the decision, put into words from a turn.

One sentence a decision: the same text in log, event and condition. The conditions follow kstatus:
Reconciling while it works or waits, Stalled when a person must act, Ready at rest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gatewaycanary.api.status import (
    Condition,
    Failure,
    HelmTestResult,
    Phase,
    Stage,
    Status,
    Verdict,
)
from gatewaycanary.core import limits
from gatewaycanary.core.decision import Decision
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.turn import Turn

LONGEST = 2048
"""Characters of a message; every condition that holds repeats it."""


def decision(observation: Observation, turn: Turn) -> Decision:
    """Give the decision that a turn stands for."""
    return Decision(
        status=observation.status if turn.silent else _status(observation, turn),
        urgent=turn.urgent,
        actions=turn.actions,
        events=turn.events,
        requeue_after=_requeue_after(observation, turn),
        summary=turn.message,
    )


def _requeue_after(observation: Observation, turn: Turn) -> timedelta | None:
    moments = [turn.look_again_at, observation.endpoints.look_again_at]
    if turn.state.problem_since is not None:
        moments.append(turn.state.problem_since + limits.PROBLEM_GRACE)
    waits = [moment - observation.now for moment in moments if moment is not None]
    coming = [wait for wait in waits if wait > timedelta()]
    return min(coming) if coming else None


def _status(observation: Observation, turn: Turn) -> Status:
    old, now, state = observation.status, observation.now, turn.state
    resting = state.stage is Stage.RESTING
    fresh = turn.started or turn.phase is Phase.IDLE
    tests = _tests(observation, turn)
    moved = turn.started or state.announced != old.state.announced
    return replace(
        old,
        observed_generation=observation.meta.generation,
        phase=turn.phase,
        state=state,
        provider=observation.spec.traffic.provider_name if observation.spec else old.provider,
        step=_step(observation, turn),
        target_weight=None if resting else state.announced,
        weight=_weight(observation, turn),
        revision=state.revision,
        stable_image=turn.stable_image or old.stable_image,
        canary_image=state.image or old.canary_image,
        started_at=now if turn.started else old.started_at,
        step_started_at=now if moved and not resting else old.step_started_at,
        completed_at=now if turn.completed else None if turn.started else old.completed_at,
        message=cut(turn.message),
        tests=tests,
        tests_summary=_tests_summary(tests),
        history=() if turn.started else old.history if turn.history is None else turn.history,
        failure=_failure(turn.failure) or (None if fresh else old.failure),
        conditions=_conditions(observation, turn),
    )


def cut(message: str) -> str:
    """Cut a sentence to what a person reads; a list in it may be as long as somebody's object."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"


def _failure(failure: Failure | None) -> Failure | None:
    return None if failure is None else replace(failure, message=cut(failure.message))


def _tests(observation: Observation, turn: Turn) -> tuple[HelmTestResult, ...]:
    if turn.started:
        return ()
    return observation.status.tests if turn.tests is None else turn.tests


def _tests_summary(tests: tuple[HelmTestResult, ...]) -> str:
    if not tests:
        return ""
    passed = sum(result.verdict is Verdict.PASSED for result in tests)
    return f"{passed}/{len(tests)}"


def _weight(observation: Observation, turn: Turn) -> int | None:
    route = observation.route
    if turn.state.stage is Stage.RESTING or not route.attached:
        return 0
    return route.weight


def _step(observation: Observation, turn: Turn) -> str:
    spec, state = observation.spec, turn.state
    if spec is None or state.stage in (Stage.RESTING, Stage.FINALIZING, Stage.ROLLING_BACK):
        return "" if turn.started else observation.status.step
    reached = sum(weight <= state.announced for weight in spec.weights)
    return f"{reached}/{len(spec.weights)}"


def _conditions(observation: Observation, turn: Turn) -> tuple[Condition, ...]:
    working = not turn.rest and not turn.stalled
    under_way = turn.state.stage is not Stage.RESTING
    promoted = "Unknown" if turn.promoted is None else str(turn.promoted)
    wanted = {
        "Ready": "True" if turn.rest else "False",
        "Reconciling": str(working),
        "Stalled": str(turn.stalled),
        "Progressing": str(under_way),
        "Promoted": promoted,
    }
    old = {condition.type: condition for condition in observation.status.conditions}
    return tuple(
        _condition(observation, turn, kind, status, old.get(kind))
        for kind, status in wanted.items()
    )


def _condition(
    observation: Observation, turn: Turn, kind: str, status: str, old: Condition | None
) -> Condition:
    since: datetime | None = observation.now
    if old is not None and old.status == status:
        since = old.last_transition_time
    shown = status == "True" or kind == "Ready"
    return Condition(
        type=kind,
        status=status,
        reason=turn.reason,
        message=cut(turn.message) if shown else "",
        observed_generation=observation.meta.generation,
        last_transition_time=since,
    )
