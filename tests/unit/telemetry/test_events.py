"""What an event's manifest holds, whatever the news says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.api.status import State, Status
from gatewaycanary.core.decision import Event
from gatewaycanary.core.observation import Meta
from gatewaycanary.telemetry import events

NOW = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
META = Meta(uid="u1", namespace="shop", name="gateway", generation=3)
STATUS = Status(
    observed_generation=3, state=State(ordinal=2, revision="abc-2", announced=25, run=1)
)
NEWS = Event(reason="Raising", message="Raising the canary's weight from 10 to 25 %")


def build(event: Event = NEWS, status: Status = STATUS, now: datetime = NOW) -> dict[str, Any]:
    """Build the event about the one GatewayCanary of these tests."""
    return events.manifest(event, meta=META, status=status, instance="operator-0", now=now)


def test_the_event_is_about_the_gatewaycanary() -> None:
    """`kubectl describe` finds it by uid, and it lies in the object's namespace."""
    made = build()
    assert made["regarding"] == {
        "apiVersion": "canary.soma.dev/v1alpha1",
        "kind": "GatewayCanary",
        "namespace": "shop",
        "name": "gateway",
        "uid": "u1",
    }
    assert made["metadata"]["namespace"] == "shop"
    assert (made["type"], made["reason"], made["note"]) == ("Normal", NEWS.reason, NEWS.message)


def test_a_warning_is_a_warning() -> None:
    """What a person should see is of type Warning."""
    assert build(replace(NEWS, warning=True))["type"] == "Warning"


def test_time_is_utc_with_microseconds() -> None:
    """The API's MicroTime takes nothing else."""
    later = NOW.astimezone(timezone(timedelta(hours=2)))
    assert build(now=later)["eventTime"] == "2026-11-23T12:00:00.250000Z"


def test_a_repeat_has_the_same_name() -> None:
    """The same news at the same position, told again later, is AlreadyExists to the server."""
    assert build(now=NOW + timedelta(hours=1))["metadata"] == build()["metadata"]


@pytest.mark.parametrize(
    "other",
    [
        replace(STATUS, observed_generation=4),
        replace(STATUS, state=replace(STATUS.state, ordinal=3)),
        replace(STATUS, state=replace(STATUS.state, revision="abc-3")),
        replace(STATUS, state=replace(STATUS.state, announced=50)),
        replace(STATUS, state=replace(STATUS.state, run=2)),
        replace(STATUS, state=replace(STATUS.state, corrections=1)),
    ],
)
def test_another_position_is_another_event(other: Status) -> None:
    """A second rollout, step, test run or correction is told anew."""
    assert build(status=other)["metadata"]["name"] != build()["metadata"]["name"]


@given(st.text(max_size=3000))
def test_any_text_becomes_a_note_that_the_server_takes(text: str) -> None:
    """A note is at most 1024 characters, on one line, without control characters."""
    note = build(Event(reason="TestLog", message=text))["note"]
    assert len(note) <= 1024
    assert note == "" or note.isprintable()


def test_the_limit_counts_what_is_cut() -> None:
    """A cut note says so by its last character."""
    note = build(Event(reason="TestLog", message="x" * 1025))["note"]
    assert note == "x" * 1023 + events.CUT
