"""No deadline runs while a rollout is suspended: its clocks are moved on at the resume."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gatewaycanary.api.status import State


def follow(state: State, *, suspend: bool, now: datetime) -> State:
    """Note the suspension, or move the state's clocks on by its length."""
    if suspend:
        return state if state.suspended_at else replace(state, suspended_at=now)
    if state.suspended_at is None:
        return state
    length = max(now - state.suspended_at, timedelta())
    return replace(
        state,
        suspended_at=None,
        entered_at=_moved(state.entered_at, length),
        raised_at=_moved(state.raised_at, length),
        short_since=_moved(state.short_since, length),
        run_started_at=_moved(state.run_started_at, length),
        problem_since=_moved(state.problem_since, length),
    )


def _moved(moment: datetime | None, length: timedelta) -> datetime | None:
    return None if moment is None else moment + length
