"""The moment at which the data plane changed is found from nothing but answers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proving.propagation import OUTSIDE, propagation
from proving.streams import Answer

RATE = 300.0


def answers(seed: int, *, before: int, after: int, at: float, seconds: float = 5.0) -> list[Answer]:
    """Simulate a router that splits by chance and changes its share at a moment."""
    chance = random.Random(seed)
    found = []
    for number in range(int(seconds * RATE)):
        began = number / RATE - 1
        share = before if began < at else after
        version = "2" if chance.random() * 100 < share else "1"
        found.append(Answer(began=began, ended=began + 0.002, version=version))
    return found


def test_a_change_to_all_is_found_to_the_gap() -> None:
    """From 0 to 100 % the moment lies between two answers, and nowhere else."""
    found = propagation(
        answers(1, before=0, after=100, at=0.25), "2", written=0.0, before=0, after=100
    )
    assert found is not None
    assert 0.25 - 1 / RATE <= found.least <= found.median <= found.most <= 0.25 + 1 / RATE


@pytest.mark.parametrize(("before", "after"), [(0, 5), (5, 10), (50, 75), (75, 100), (5, 0)])
def test_the_bounds_hold_as_often_as_they_say(before: int, after: int) -> None:
    """Over many runs the true moment lies outside of the bounds about as rarely as stated."""
    runs, outside = 150, 0
    for seed in range(runs):
        at = random.Random(seed).uniform(0, 3)
        seen = answers(seed, before=before, after=after, at=at)
        found = propagation(seen, "2", written=0.0, before=before, after=after)
        assert found is not None
        outside += not found.least <= at <= found.most
    assert outside / runs <= OUTSIDE * 4


def test_a_watch_that_lags_behind_the_data_plane_tells_zero() -> None:
    """A change that was there before our own watch told of the write took no time that we saw."""
    seen = answers(1, before=0, after=100, at=-0.05)
    found = propagation(seen, "2", written=0.0, before=0, after=100)
    assert found is not None
    assert found.most == 0.0


def test_nothing_is_told_without_evidence() -> None:
    """No answers, no change asked for, or answers that neither share allows: no number."""
    seen = answers(1, before=0, after=100, at=0.25)
    assert propagation([], "2", written=0.0, before=0, after=100) is None
    assert propagation(seen, "2", written=0.0, before=50, after=50) is None
    back = [*seen, *answers(1, before=0, after=0, at=9.0)]
    assert propagation(back, "2", written=0.0, before=0, after=100) is None
    lost = [Answer(began=0.1, ended=0.2, trouble="refused")]
    assert propagation(lost, "2", written=0.0, before=0, after=100) is None


@given(
    before=st.integers(0, 100),
    after=st.integers(0, 100),
    sides=st.lists(st.booleans(), max_size=30),
)
def test_bounds_are_in_order_and_after_the_write(
    before: int, after: int, sides: list[bool]
) -> None:
    """Whatever was answered, the change comes after the write and the bounds enclose the median."""
    seen = [
        Answer(began=index / 10 - 1, ended=index / 10, version="2" if ours else "1")
        for index, ours in enumerate(sides)
    ]
    found = propagation(seen, "2", written=0.0, before=before, after=after)
    assert found is None or 0 <= found.least <= found.median <= found.most
