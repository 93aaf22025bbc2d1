"""Durations: what is read, what is refused, and that writing and reading agree."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.api.durations import GRAMMAR, MAX_LENGTH, format_duration, parse_duration

READ = (
    ("0s", timedelta(0)),
    ("500ms", timedelta(milliseconds=500)),
    ("5s", timedelta(seconds=5)),
    ("90s", timedelta(seconds=90)),
    ("2m", timedelta(minutes=2)),
    ("1h30m", timedelta(hours=1, minutes=30)),
    ("1h0m0s", timedelta(hours=1)),
    ("1s500ms", timedelta(seconds=1, milliseconds=500)),
    ("007s", timedelta(seconds=7)),
)

REFUSED = (
    *("", " ", "5", "s", "-5s", "+5s", "1d", "1.5s", "5S", "5 s", "5s ", "5s\n", "5s2m"),
    *("1m1m", "5us", "1e3s", "100000h", "٣s", "h1", "null"),
)


@pytest.mark.parametrize(("text", "expected"), READ)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    """Whole numbers with units, large units first."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused(text: str) -> None:
    """Days, signs, fractions, other orders and other digits are refused, with the grammar."""
    with pytest.raises(ValueError, match="such as 30s, 2m or 1h30m") as caught:
        parse_duration(text)
    assert str(caught.value) == GRAMMAR


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(minutes=10), "10m"),
        (timedelta(days=2), "48h"),
        (timedelta(seconds=3661, milliseconds=5), "1h1m1s5ms"),
    ],
)
def test_a_duration_is_written_short(value: timedelta, text: str) -> None:
    """Units that are none are left out."""
    assert format_duration(value) == text


@given(st.integers(min_value=0, max_value=99_999 * 3_600_000))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    """Writing and reading are inverse, down to the millisecond, within the length limit."""
    value = timedelta(milliseconds=milliseconds)
    text = format_duration(value)
    assert parse_duration(text) == value
    assert len(text) <= MAX_LENGTH


@given(st.text(alphabet="0123456789hms -+.d\n", max_size=12))
def test_reading_is_total(text: str) -> None:
    """Any text is either a duration that is not negative, or refused as none."""
    try:
        value = parse_duration(text)
    except ValueError:
        value = None
    assert value is None or parse_duration(format_duration(value)) == value >= timedelta(0)
