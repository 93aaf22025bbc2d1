"""What is measured as a reaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gatewaycanary.telemetry.metrics import ReactionKind
from gatewaycanary.telemetry.timing import Reactions


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
    reactions.taken("a")
    clock.now = 3.0
    reactions.answered("a", "revert")
    assert seen == [("revert", 3.0)]


def test_one_answer_answers_once(
    reactions: Reactions[str], seen: list[tuple[ReactionKind, float]]
) -> None:
    """Further writes of the same look are not reactions, nor is one that no fact asked for."""
    reactions.arrived("a")
    reactions.taken("a")
    reactions.answered("a", "gate")
    reactions.answered("a", "gate")
    reactions.taken("b")
    reactions.answered("b", "gate")
    assert len(seen) == 1


def test_a_fact_that_asks_for_nothing_is_no_reaction(
    reactions: Reactions[str], clock: Clock, seen: list[tuple[ReactionKind, float]]
) -> None:
    """A later write is not measured from a fact that had been looked at without one."""
    reactions.arrived("a")
    reactions.taken("a")
    clock.now = 60.0
    reactions.settled("a")
    reactions.arrived("a")
    reactions.taken("a")
    clock.now = 61.0
    reactions.answered("a", "gate")
    assert seen == [("gate", 1.0)]


def test_a_fact_that_comes_during_a_look_is_the_next_ones(
    reactions: Reactions[str], clock: Clock, seen: list[tuple[ReactionKind, float]]
) -> None:
    """Neither an answer nor an end of the look before it takes its beginning away."""
    ends: tuple[Callable[[], None], ...] = (
        lambda: reactions.answered("a", "gate"),
        lambda: reactions.settled("a"),
    )
    for end in ends:
        seen.clear()
        reactions.arrived("a")
        reactions.taken("a")
        arrived = clock.now
        reactions.arrived("a")
        clock.now += 1.0
        end()
        reactions.taken("a")
        clock.now += 1.0
        reactions.answered("a", "revert")
        assert seen[-1] == ("revert", clock.now - arrived)


def test_a_failed_look_leaves_its_fact_unanswered(
    reactions: Reactions[str], clock: Clock, seen: list[tuple[ReactionKind, float]]
) -> None:
    """A revert that goes through at the third try has taken all that time."""
    reactions.arrived("a")
    for _ in range(2):
        reactions.taken("a")
        clock.now += 5.0
        reactions.arrived("a")
        reactions.failed("a")
    reactions.taken("a")
    reactions.answered("a", "revert")
    assert seen == [("revert", 10.0)]
