"""Moments as ages: now is always the same, and what lies back far enough is as far as it gets.

What no decision reads (moments shown to people, sentences, the history) is left out of a stored
status, so that two states that go on alike are one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from gatewaycanary.api.status import State, Status
from model.observing import true_moment
from model.pictures import CanaryPods

NOW: Final[datetime] = true_moment(100_000.0)
OLDEST: Final = timedelta(seconds=700)
"""Longer than every deadline of the scenes."""

MOMENTS: Final = (
    "entered_at",
    "raised_at",
    "short_since",
    "run_started_at",
    "zero_since",
    "suspended_at",
    "problem_since",
)


def aged(moment: datetime | None, seconds: int) -> datetime | None:
    """Give a moment as it is seen so many seconds later."""
    if moment is None:
        return None
    return max(moment - timedelta(seconds=seconds), NOW - OLDEST)


def aged_state(state: State, seconds: int) -> State:
    """Let a position grow older."""
    older: dict[str, Any] = {name: aged(getattr(state, name), seconds) for name in MOMENTS}
    return replace(state, **older)


def aged_pods(pods: CanaryPods, seconds: int) -> CanaryPods:
    """Let the canary's newest pod grow older."""
    return replace(pods, newly_ready_at=aged(pods.newly_ready_at, seconds))


def canonical(status: Status) -> Status:
    """Leave out what no decision reads."""
    failure = status.failure
    return replace(
        status,
        observed_generation=0,
        started_at=None,
        step_started_at=None,
        completed_at=None,
        weight=None,
        message="",
        history=(),
        failure=replace(failure, message="") if failure else None,
        conditions=tuple(
            replace(one, message="", observed_generation=0, last_transition_time=None)
            for one in status.conditions
        ),
    )


def renamed(status: Status, *, version: int) -> Status:
    """Name the route's version that the last correction answers anew; the present one is 1."""
    corrected = status.state.corrected_version
    if not corrected:
        return status
    name = "1" if corrected == str(version) else "0"
    return replace(status, state=replace(status.state, corrected_version=name))
