"""The bugs that `make mutants` sows: each can still be sown, and what is found is told rightly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model.exhaustive import mutating, telling
from model.exhaustive.mutants import CORE, ENGINE, MUTANTS, Mutant, Patch


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.words.replace(" ", "-"))
def test_every_patch_fits_and_its_rule_is_known(mutant: Mutant) -> None:
    """Each old text stands exactly once where it is looked for, and each rule has its sentence."""
    for patch in mutant.patches:
        text = (mutating.OPERATOR / patch.file).read_text()
        changed = mutating.patched(patch, text)
        assert changed != text
        compile(changed, patch.file, "exec")
    assert mutant.rule in telling.rules()


def test_core_and_engine_are_both_tried() -> None:
    """No bug is sown twice, and both halves have some."""
    assert len({mutant.words for mutant in MUTANTS}) == len(MUTANTS)
    assert len(ENGINE) >= 5
    assert len(CORE) >= 12


def test_a_sown_bug_is_found() -> None:
    """The whole way: a copy of the operator with a bug, searched in a process of its own."""
    verdict = mutating.tried(ENGINE[1])
    assert verdict.wrong == ""
    assert verdict.rule == "traffic_before_status"
    assert verdict.states > 0


def test_a_bug_found_by_another_rule_does_not_do() -> None:
    """A bug must be named by its own rule."""
    verdict = mutating.tried(replace(ENGINE[1], rule="one_run_in_flight"))
    assert verdict.wrong == "found by another rule than one_run_in_flight"


def test_a_patch_that_no_longer_fits_is_told(tmp_path: Path) -> None:
    """What can no longer be sown fails, rather than counting as found."""
    gone = replace(ENGINE[0], patches=(Patch("core/decide.py", "no such text", ""),))
    with pytest.raises(mutating.PatchError, match=r"stands 0 times in core/decide\.py"):
        mutating.sow(gone, tmp_path)
    assert "does not fit" in mutating.tried(gone).wrong
