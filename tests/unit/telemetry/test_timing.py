"""What is measured as a reaction, and as the loop's lag."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from gatewaycanary.telemetry.metrics import ReactionKind
from gatewaycanary.telemetry.timing import Reactions, measure_lag


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Read the clock."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def seen() -> list[tuple[ReactionKind, float]]:
    """Give the list that reactions are noted in."""
    return []


@pytest.fixture
def reactions(clock: Clock, seen: list[tuple[ReactionKind, float]]) -> Reactions[str]:
    """Give reactions on that clock."""
    return Reactions(lambda kind, seconds: seen.append((kind, seconds)), clock=clock)


def test_the_first_unanswered_fact_counts(
    reactions: Reactions[str], clock: Clock, seen: list[tuple[ReactionKind, float]]
) -> None:
    """Facts that come while one is unanswered don't make the reaction look faster."""
    reactions.arrived("a")
    clock.now = 2.0
    reactions.arrived("a")
    clock.now = 3.0
    reactions.answered("a", "revert")
    assert seen == [("revert", 3.0)]


def test_one_answer_answers_once(
    reactions: Reactions[str], seen: list[tuple[ReactionKind, float]]
) -> None:
    """Further writes of the same look are not reactions."""
    reactions.arrived("a")
    reactions.answered("a", "gate")
    reactions.answered("a", "gate")
    reactions.answered("b", "gate")
    assert len(seen) == 1


def test_a_fact_that_asks_for_nothing_is_no_reaction(
    reactions: Reactions[str], clock: Clock, seen: list[tuple[ReactionKind, float]]
) -> None:
    """A later write is not measured from a fact that had been looked at without one."""
    reactions.arrived("a")
    clock.now = 60.0
    reactions.settled("a")
    reactions.arrived("a")
    clock.now = 61.0
    reactions.answered("a", "gate")
    assert seen == [("gate", 1.0)]


async def test_a_blocked_loop_is_seen() -> None:
    """Whatever holds the loop up shows as lag of that length."""
    lags: list[float] = []
    measuring = asyncio.create_task(measure_lag(lags.append, interval=0.01))
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - the very thing that is to be seen
    await asyncio.sleep(0.02)
    measuring.cancel()
    with suppress(asyncio.CancelledError):
        await measuring
    assert max(lags) >= 0.08
    assert min(lags) >= 0.0
