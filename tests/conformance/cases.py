"""What every provider promises, as data: name, features needed, check."""

from __future__ import annotations

import pytest

from conformance import held_cases
from conformance.benches import OWNED_ROUTE, SPELLED, USER_ROUTE
from conformance.documents import WriteError
from conformance.stages import Case, Stage

RAMP = (5, 10, 25, 50, 75, 100)
ODD = ("lots", "", " 5", "0x10", "5.0", "-1", "101", "1_0", "٥", "9" * 30)
MARK = "abc-1"


def nothing_at_rest(stage: Stage) -> None:
    """Without a rollout our destination is not in the route, and there is nothing to take out."""
    assert stage.view.present
    assert not stage.view.attached
    assert stage.shares() == ({0}, {0})
    assert not stage.withdraw(MARK)
    assert not stage.restore()


def ramp_reads_back(stage: Stage) -> None:
    """Each weight is read back, and the router gives just that share at stable's places only."""
    for weight in RAMP:
        assert stage.raise_to(weight)
        assert (stage.view.attached, stage.view.weight) == (True, weight)
        assert stage.shares() == ({weight}, {0})


def lowering_is_a_raise_too(stage: Stage) -> None:
    """Drift above the announced weight is put back by the same write."""
    stage.raise_to(50)
    stage.raise_to(10)
    assert stage.shares() == ({10}, {0})


def repeats_cost_nothing(stage: Stage) -> None:
    """What the route says already is not written again."""
    stage.raise_to(25)
    assert not stage.raise_to(25)
    stage.withdraw(MARK)
    assert not stage.withdraw(MARK)


def stale_raise_is_refused(stage: Stage) -> None:
    """A raise made before somebody else's write answers 409 and changes nothing."""
    stage.raise_to(5)
    raising = stage.raising(10)
    assert raising is not None
    stage.bench.touch(stage.documents)
    before = stage.documents.snapshot()
    with pytest.raises(WriteError) as refused:
        stage.documents.apply(raising)
    assert refused.value.code == 409
    assert stage.documents.snapshot() == before


def first_raise_is_taken_once(stage: Stage) -> None:
    """Of two first raises made from one view the second answers 409."""
    first, second = stage.raising(5), stage.raising(5)
    assert first is not None
    assert second is not None
    stage.documents.apply(first)
    with pytest.raises(WriteError) as refused:
        stage.documents.apply(second)
    assert refused.value.code == 409


def withdrawal_passes_a_busy_writer(stage: Stage) -> None:
    """A withdrawal made before somebody else's writes goes through all the same."""
    stage.raise_to(50)
    withdrawal = stage.withdrawing(MARK)
    assert withdrawal is not None
    stage.bench.touch(stage.documents)
    stage.bench.tamper(stage.documents, "75")
    stage.documents.apply(withdrawal)
    assert stage.shares() == ({0}, {0})
    assert (stage.view.weight, stage.view.withdrawn) == (0, MARK)


def mark_comes_with_the_zero(stage: Stage) -> None:
    """Weight 0 and the mark are one write, so that no crash can come between them."""
    stage.raise_to(50)
    before = len(stage.documents.history)
    stage.withdraw(MARK)
    assert len(stage.documents.history) == before + 1
    assert (stage.view.weight, stage.view.withdrawn) == (0, MARK)


def withdrawal_without_mark(stage: Stage) -> None:
    """Promotion's weight 0 carries no mark; one may still be added."""
    stage.raise_to(100)
    stage.withdraw()
    assert (stage.view.weight, stage.view.withdrawn) == (0, "")
    assert stage.withdraw(MARK)
    assert stage.view.withdrawn == MARK


def mark_outlives_a_raise(stage: Stage) -> None:
    """The mark of a failed rollout stays, whoever raises its weight again."""
    stage.raise_to(5)
    stage.withdraw(MARK)
    stage.raise_to(5)
    assert stage.view.withdrawn == MARK


def next_rollout_drops_the_mark(stage: Stage) -> None:
    """Another rollout's raise is not taken for the failed one's."""
    stage.raise_to(5)
    stage.withdraw(MARK)
    view = stage.of_revision("def-2")
    assert (view.weight, view.withdrawn) == (5, "")


def restored_as_found(stage: Stage) -> None:
    """After the restore every object is as it was before the rollout."""
    before = stage.documents.snapshot()
    for weight in RAMP:
        stage.raise_to(weight)
    stage.withdraw(MARK)
    assert stage.restore()
    assert stage.documents.snapshot() == before
    assert not stage.view.attached
    assert stage.view.withdrawn == ""


def foreign_fields_stay(stage: Stage) -> None:
    """What others write beside the weight outlives raises and withdrawals."""
    stage.raise_to(5)
    stage.bench.touch(stage.documents)
    stage.raise_to(10)
    assert stage.bench.touched(stage.documents)
    stage.withdraw(MARK)
    assert stage.bench.touched(stage.documents)


def other_weight_is_seen(stage: Stage) -> None:
    """A weight set by hand is read as such, and put back."""
    stage.raise_to(25)
    stage.bench.tamper(stage.documents, "80")
    assert stage.view.weight == 80
    assert "80" in stage.view.text
    stage.raise_to(25)
    assert stage.shares() == ({25}, {0})


def zero_by_hand_is_seen(stage: Stage) -> None:
    """An explicit 0 is a weight: a person's brake."""
    stage.raise_to(25)
    stage.bench.tamper(stage.documents, "0")
    assert (stage.view.attached, stage.view.weight) == (True, 0)


def odd_spellings_are_no_weight(stage: Stage) -> None:
    """What is not a number from 0 to 100 is no weight, is told in words, and is put back."""
    for spelled in ODD:
        stage.raise_to(25)
        stage.bench.tamper(stage.documents, spelled)
        assert (stage.view.attached, stage.view.weight) == (True, None), spelled
        assert stage.view.text
        stage.raise_to(25)
        assert stage.view.weight == 25
        stage.bench.tamper(stage.documents, spelled)
        stage.withdraw(MARK)
        assert stage.shares() == ({0}, {0})
        stage.restore()


def removed_weight_is_no_weight(stage: Stage) -> None:
    """A weight taken away by hand is put back."""
    stage.raise_to(25)
    stage.bench.tamper(stage.documents, None)
    assert (stage.view.attached, stage.view.weight) == (True, None)
    assert stage.raise_to(25)
    assert stage.view.weight == 25


def version_follows_writes(stage: Stage) -> None:
    """Every change of the weights by anybody gives the route another version."""
    stage.raise_to(5)
    first = stage.view.version
    stage.bench.tamper(stage.documents, "7")
    second = stage.view.version
    stage.raise_to(10)
    assert len({first, second, stage.view.version, ""}) == 4


def nothing_of_ours_before_the_first_raise(stage: Stage) -> None:
    """The route object that carries the weight exists only from the first raise to the restore."""
    keys = set(stage.documents.snapshot())
    stage.raise_to(5)
    assert len(set(stage.documents.snapshot()) - keys) == 1
    stage.restore()
    assert set(stage.documents.snapshot()) == keys


def without_route(stage: Stage) -> None:
    """A route that is not there is a problem with its name, and nothing is written."""
    kind, namespace, name = stage.bench.provider.keys(stage.bench.context)[0]
    stage.documents.remove(kind, namespace, name)
    found = stage.bench.provider.problems(stage.bench.context, stage.documents)
    assert [problem.object for problem in found] == [f"{kind} {name}"]
    assert not stage.view.present
    assert not stage.raise_to(5)


def events_find_the_canary(stage: Stage) -> None:
    """Every object of the route names a key that the canary is known by."""
    stage.raise_to(5)
    provider, context = stage.bench.provider, stage.bench.context
    known = set(provider.keys(context))
    kinds = {kind for _, kind in provider.kinds}
    for kind, namespace, name in known:
        obj = stage.documents.get(kind, namespace, name) if kind in kinds else None
        if obj is not None:
            assert known & set(provider.related(obj))


CASES = (
    *(
        Case(name=check.__name__, check=check)
        for check in (
            nothing_at_rest,
            ramp_reads_back,
            lowering_is_a_raise_too,
            repeats_cost_nothing,
            stale_raise_is_refused,
            first_raise_is_taken_once,
            withdrawal_passes_a_busy_writer,
            mark_comes_with_the_zero,
            withdrawal_without_mark,
            mark_outlives_a_raise,
            next_rollout_drops_the_mark,
            restored_as_found,
            foreign_fields_stay,
            other_weight_is_seen,
            zero_by_hand_is_seen,
            version_follows_writes,
            without_route,
            events_find_the_canary,
        )
    ),
    *(
        Case(name=check.__name__, check=check, features=frozenset({feature}))
        for feature, check in (
            (OWNED_ROUTE, nothing_of_ours_before_the_first_raise),
            (SPELLED, odd_spellings_are_no_weight),
            (SPELLED, removed_weight_is_no_weight),
            *((USER_ROUTE, check) for check in held_cases.CHECKS),
        )
    ),
)
