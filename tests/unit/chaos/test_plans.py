"""Plans are a pure function of seed and number, and hold everything in its numbers."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos import plans
from chaos.effects import LATE, ONLY_BAD, ONLY_GOOD, Effect
from chaos.plans import BATCH, CYCLE, STEPS, Fault, Outage, Plan

SEEDS = (0, 7, 4711)


def cycle(seed: int) -> list[Plan]:
    """Give the plans of a whole cycle."""
    return [plans.plan(seed, number) for number in range(CYCLE)]


@pytest.mark.parametrize("seed", SEEDS)
def test_half_of_the_images_are_bad(seed: int) -> None:
    """A hundred of two hundred."""
    assert sum(not each.good for each in cycle(seed)) == CYCLE // 2


@pytest.mark.parametrize("seed", SEEDS)
def test_every_effect_has_a_kill_before_and_after_it(seed: int) -> None:
    """Each of them three times in a cycle, with an image that comes so far."""
    found = [each for each in cycle(seed) if each.fault is Fault.KILLED_AT]
    counted = Counter((each.effect, each.before) for each in found)
    assert counted == {(effect, before): 3 for effect in Effect for before in (True, False)}
    for each in found:
        assert each.good or each.effect not in ONLY_GOOD
        assert not each.good or each.effect not in ONLY_BAD
        assert each.good or each.effect not in LATE or each.breaks_at > STEPS[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_fault_comes_several_times(seed: int) -> None:
    """No fault has fewer than ten runs, no outage fewer than two batches."""
    found = cycle(seed)
    faults = Counter(each.fault for each in found)
    outages = Counter(each.shared.outage for each in found)
    assert set(faults) == set(Fault)
    assert min(faults.values()) >= 10
    assert set(outages) == set(Outage)
    assert min(outages.values()) >= 2 * BATCH


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_shares_its_outage(seed: int) -> None:
    """All ten see the same, and no outage is shorter or longer than it may be."""
    found = cycle(seed)
    for first in range(0, CYCLE, BATCH):
        (shared,) = {each.shared for each in found[first : first + BATCH]}
        assert 0 <= shared.lasts <= 60
        if shared.outage in {Outage.API, Outage.ETCD}:
            assert shared.lasts >= 5


def test_a_seed_gives_the_same_plans_again() -> None:
    """The same seed says the same, another one something else."""
    assert cycle(7) == cycle(7)
    assert cycle(7) != cycle(8)


def test_a_run_does_not_depend_on_how_many_there_are() -> None:
    """A run of a later cycle is drawn without those before it."""
    assert plans.plan(7, 442).number == 442
    assert plans.plan(7, 442) == plans.plan(7, 442)


def test_two_operators_are_there_where_two_are_needed() -> None:
    """A fault of two operators has a standby."""
    for each in cycle(7):
        if each.fault in {Fault.STANDBY, Fault.TWINS, Fault.PAUSED}:
            assert each.pair


def test_a_plan_is_told_in_plain_words() -> None:
    """Who reads it knows what was done and when."""
    told = str(
        Plan(
            number=42,
            provider="nginx",
            image=plans.Image.BROKEN,
            breaks_at=50,
            fault=Fault.KILLED_AT,
            effect=Effect.FIRST_RAISE,
            before=True,
            shared=plans.Shared(outage=Outage.API, after=3.0, lasts=8.0),
        )
    )
    assert told == (
        "run 42: nginx, one operator, image 3.0.0 (bad from 50 % on); the operator is killed at "
        "before the first raise; after 3.0 s the API server is down, for 8 s"
    )
