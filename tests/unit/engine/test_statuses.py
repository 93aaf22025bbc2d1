"""The status goes out as what differs from the stored one, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.api.status import Phase, Stage, State, Status, dump_status, parse_status
from gatewaycanary.engine.statuses import difference, status_patch, stored_stage
from unit.engine.fakes import merged

SCALARS = st.one_of(st.integers(0, 3), st.sampled_from(["", "a", "b"]))
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)
"""Documents as the API server stores them: it keeps no nulls."""


@given(old=DOCUMENTS, new=DOCUMENTS)
def test_the_patch_makes_new_of_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Applied as RFC 7386 says, removed and replaced fields included; neither side is changed."""
    before = deepcopy((old, new))
    assert merged(old, difference(old, new)) == new
    assert (old, new) == before


@given(document=DOCUMENTS)
def test_no_difference_is_an_empty_patch(document: dict[str, Any]) -> None:
    """What is stored already is not sent again."""
    assert difference(document, deepcopy(document)) == {}


def test_only_what_differs_goes_out() -> None:
    """A removed field is null, an equal one is left out at any depth, a list goes as a whole."""
    old = {"a": 1, "b": {"x": 1, "y": 2, "z": {"q": 1}}, "c": [1, 2], "d": "gone"}
    new = {"a": 1, "b": {"x": 1, "y": 3, "z": {}}, "c": [1, 3], "e": {"n": 1}}
    assert difference(old, new) == {
        "b": {"y": 3, "z": {"q": None}},
        "c": [1, 3],
        "d": None,
        "e": {"n": 1},
    }


def test_a_status_is_stored_over_its_version_only() -> None:
    """The patch names the version that was read, so that a later one refuses it."""
    stored = dump_status(Status(message="old", weight=5, state=State(revision="r-1", announced=5)))
    new = Status(phase=Phase.FAILED, message="new", state=State(revision="r-1"))
    patch = status_patch(stored, new, resource_version="41")
    assert patch is not None
    assert patch["metadata"] == {"resourceVersion": "41"}
    assert patch["status"] == {
        "phase": "Failed",
        "message": "new",
        "weight": None,
        "state": {"announced": 0},
    }
    assert parse_status(merged(stored, patch["status"])) == new


def test_an_equal_status_is_no_write() -> None:
    """However moments are spelled: what would be stored is there already."""
    status = Status(started_at=datetime(2026, 1, 2, tzinfo=UTC), weight=5)
    assert status_patch(dump_status(status), status, resource_version="1") is None
    assert status_patch(dump_status(status), replace(status, weight=0), resource_version="1")


def test_what_another_version_stored_goes() -> None:
    """A field that this version does not know would be a lie as soon as the rest moves on."""
    stored = {**dump_status(Status()), "laterField": 1}
    patch = status_patch(stored, Status(), resource_version="1")
    assert patch is not None
    assert patch["status"] == {"laterField": None}


@pytest.mark.parametrize(
    ("canary", "stage"),
    [
        ({"status": {"state": {"stage": "RollingBack"}}}, Stage.ROLLING_BACK),
        ({"status": {"state": {"stage": "Flying"}}}, Stage.RESTING),
        ({"status": {"state": {"stage": ["Ramping"]}}}, Stage.RESTING),
        ({"status": {"state": [1]}}, Stage.RESTING),
        ({"status": "lost"}, Stage.RESTING),
        ({"status": None}, Stage.RESTING),
        ({}, Stage.RESTING),
    ],
)
def test_where_it_stands(canary: dict[str, Any], stage: Stage) -> None:
    """Whatever is stored: a strange status may stop its own canary, and never the operator."""
    assert stored_stage(canary) is stage
