"""Weights are read as routers read them: plain integers from 0 to 100, everything else is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.traffic.weights import read


@given(weight=st.integers(0, 100))
def test_every_weight(weight: int) -> None:
    """What we write is what we read."""
    reading = read(str(weight), field="canary-weight")
    assert (reading.weight, reading.text) == (weight, f"{weight} %")


@pytest.mark.parametrize(
    ("spelled", "weight", "text"),
    [
        (None, None, "no canary-weight"),
        ("", None, "canary-weight '', which is no number"),
        ("lots", None, "canary-weight 'lots', which is no number"),
        ("5%", None, "canary-weight '5%', which is no number"),
        (" 5", None, "canary-weight ' 5', which is no number"),
        ("1_0", None, "canary-weight '1_0', which is no number"),
        ("101", None, "canary-weight 101, which is not within 0 to 100"),
        ("-1", None, "canary-weight -1, which is not within 0 to 100"),
        ("+5", 5, "5 %"),
        ("007", 7, "7 %"),
    ],
)
def test_spellings(spelled: str | None, weight: int | None, text: str) -> None:
    """Each spelling, with the words that are shown for it."""
    reading = read(spelled, field="canary-weight")
    assert (reading.weight, reading.text) == (weight, text)


@given(spelled=st.text())
def test_any_text(spelled: str) -> None:
    """No text raises, and none is read as a weight out of range."""
    reading = read(spelled, field="canary-weight")
    assert reading.text
    assert reading.weight is None or 0 <= reading.weight <= 100
