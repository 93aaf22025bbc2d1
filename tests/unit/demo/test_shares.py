"""The demo's judgement of shares: exact, two-sided, and with a bounded rate of false alarms."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.shares import Share, p_value, suspicious


def test_known_values() -> None:
    """Values that can be worked out by hand."""
    assert p_value(requests=10, canary=5, weight=50) == 1.0
    assert p_value(requests=10, canary=0, weight=50) == pytest.approx(2 / 1024)
    assert p_value(requests=3, canary=3, weight=10) == pytest.approx(0.001)
    assert p_value(requests=2, canary=1, weight=25) == pytest.approx(0.375 + 0.0625)


def test_all_traffic_admits_no_exception() -> None:
    """At 100 % a single answer from stable is enough to fail, and none is fine."""
    assert p_value(requests=500, canary=500, weight=100) == 1.0
    assert p_value(requests=500, canary=499, weight=100) == 0.0


@given(requests=st.integers(1, 60), weight=st.integers(1, 99), level=st.floats(0.001, 0.5))
def test_false_alarms_are_bounded(requests: int, weight: int, level: float) -> None:
    """With the right router, a p-value below a level comes with at most that probability."""
    share = weight / 100
    alarms = sum(
        comb(requests, k) * share**k * (1 - share) ** (requests - k)
        for k in range(requests + 1)
        if p_value(requests=requests, canary=k, weight=weight) < level
    )
    assert alarms <= level + 1e-9


def test_thousands_of_requests_stay_exact() -> None:
    """Large samples neither overflow nor lose the tail."""
    assert p_value(requests=4000, canary=200, weight=5) > 0.9
    assert 0 < p_value(requests=4000, canary=400, weight=5) < 1e-30


def test_the_allowance_is_divided_among_the_shares() -> None:
    """A share that would fail alone passes among many, because each gets only its part."""
    odd = Share(weight=50, requests=20, canary=0)
    assert 1e-6 < odd.p_value < 1e-5
    fine = Share(weight=50, requests=20, canary=10)
    assert suspicious([odd], false_alarm=1e-5) == [odd]
    assert suspicious([odd, *[fine] * 9], false_alarm=1e-5) == []


def test_nothing_measured_is_suspicious() -> None:
    """A step without a single counted request proves nothing, and says so."""
    empty = Share(weight=25, requests=0, canary=0)
    assert empty.percent == 0.0
    assert suspicious([empty]) == [empty]
    assert suspicious([]) == []
