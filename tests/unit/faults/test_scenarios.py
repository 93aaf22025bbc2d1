"""A seed means one rollout; many seeds mean all kinds of them."""

from __future__ import annotations

import pytest

from faults.kinds import EVERY
from faults.scenarios import MIXES, OTHER, PROVIDERS, STABLE, WANTED, Shape, Story, scenario

HUNDRED = [scenario(seed, provider) for seed in range(1, 101) for provider in PROVIDERS]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_seed_decides(provider: str) -> None:
    """The same seed means the same scenario, another one another."""
    assert scenario(17, provider) == scenario(17, provider)
    assert scenario(17, provider) != scenario(18, provider)


def test_a_hundred_seeds_cover_all() -> None:
    """Every story at every weight that it can have, and every mix of faults."""
    assert {each.shape.story for each in HUNDRED} == set(Story)
    assert {each.mix for each in HUNDRED} == set(MIXES)
    failing = {each.shape.at for each in HUNDRED if each.shape.story is Story.BAD}
    assert failing == {10, 50, 100}
    bad = sum(each.shape.phase == "Failed" for each in HUNDRED)
    assert 0.35 < bad / len(HUNDRED) < 0.6


def test_a_person_steps_in_before_the_last_step() -> None:
    """Later it would be a race with the promotion."""
    people = {Story.ABORTED, Story.REPLACED}
    assert all(e.shape.at < 100 for e in HUNDRED if e.shape.story in people)


def test_mixes_hold_every_fault() -> None:
    """No fault is in "all" alone, where it might not come often enough."""
    special = frozenset.union(*(kinds for name, kinds in MIXES.items() if name != "all"))
    assert special == EVERY


@pytest.mark.parametrize(
    ("story", "phase", "image", "verdict"),
    [
        (Story.GOOD, "Succeeded", WANTED, True),
        (Story.BAD, "Failed", STABLE, False),
        (Story.ABORTED, "Failed", STABLE, None),
        (Story.REPLACED, "Succeeded", OTHER, None),
    ],
)
def test_stories(story: Story, phase: str, image: str, verdict: bool | None) -> None:
    """Each has its end, and its verdict at its weight; everywhere else tests pass."""
    at = 0 if story is Story.GOOD else 50
    shape = Shape(provider="nginx", story=story, steps=(50, 100), at=at)
    assert (shape.phase, shape.image) == (phase, image)
    assert shape.verdict(WANTED, 50) is verdict
    assert shape.verdict(WANTED, 100) is True
    assert shape.verdict(OTHER, 50) is True
