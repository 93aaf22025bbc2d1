"""The status: written as the API server stores it, read back by any version."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.api.status import (
    Failure,
    HelmTestResult,
    Outcome,
    Phase,
    Stage,
    State,
    Status,
    StepRecord,
    Verdict,
    dump_status,
    parse_status,
)

COUNTS = st.integers(min_value=0, max_value=2**53)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
WEIGHTS = st.integers(min_value=0, max_value=100)
STATUSES = st.builds(
    Status,
    observed_generation=COUNTS,
    phase=st.sampled_from(Phase),
    state=st.builds(
        State,
        ordinal=COUNTS,
        stage=st.sampled_from(Stage),
        outcome=st.none() | st.sampled_from(Outcome),
        recorded=WEIGHTS,
        announced=WEIGHTS,
        entered_at=TIMES,
        zero_since=TIMES,
        autoscaler_original=st.none() | st.text(),
        releases=st.lists(st.text()).map(tuple),
    ),
    weight=st.none() | WEIGHTS,
    message=st.text(max_size=200),
    started_at=TIMES,
    tests=st.lists(
        st.builds(
            HelmTestResult,
            name=st.text(),
            verdict=st.sampled_from(Verdict),
            duration_seconds=st.floats(min_value=0, max_value=1e6),
        ),
        max_size=3,
    ).map(tuple),
    history=st.lists(st.builds(StepRecord, weight=WEIGHTS, entered_at=TIMES), max_size=3).map(
        tuple
    ),
    failure=st.none() | st.builds(Failure, reason=st.text(min_size=1)),
)


@given(STATUSES)
def test_a_status_survives_the_api_server(status: Status) -> None:
    """What is written as JSON is read back as the very same position."""
    stored: dict[str, Any] = orjson.loads(orjson.dumps(dump_status(status)))
    assert parse_status(stored) == status


def test_nothing_stored_is_the_beginning() -> None:
    """An object without a status, and one with only the schema's default, are both new."""
    assert parse_status({}) == Status()
    assert parse_status({"observedGeneration": 0, "phase": "Pending"}) == Status()


def test_what_is_unset_is_left_out() -> None:
    """No null goes to the API server."""
    dumped = dump_status(Status())
    assert "weight" not in dumped
    assert "outcome" not in dumped["state"]


@pytest.mark.parametrize("extra", [{"later": 1}, {"state": {"ordinal": 2, "later": {"a": []}}}])
def test_a_newer_operators_fields_are_passed_over(extra: dict[str, Any]) -> None:
    """An older operator reads what it knows and can still bring the traffic home."""
    assert parse_status({"phase": "Shifting", **extra}).phase is Phase.SHIFTING
