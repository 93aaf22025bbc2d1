"""Pauses between tries: growing, bounded, scattered."""

from random import Random

import pytest

from gatewaycanary.kube.backoff import Backoff


@pytest.mark.parametrize(
    ("tries", "full"), [(1, 0.5), (2, 1.0), (3, 2.0), (8, 60.0), (9, 60.0), (10_000, 60.0)]
)
def test_a_delay_is_between_half_and_all_of_its_step(tries: int, full: float) -> None:
    """Each failure doubles the pause up to the limit; jitter takes at most half of it."""
    backoff = Backoff(first=0.5, limit=60.0, rng=Random(1))
    delays = [backoff.delay(tries) for _ in range(200)]
    assert all(full / 2 <= delay <= full for delay in delays)
    assert max(delays) - min(delays) > full / 4


def test_the_same_seed_gives_the_same_delays() -> None:
    """A test can know what comes."""
    first, second = (Backoff(first=1.0, limit=9.0, rng=Random(5)) for _ in range(2))
    assert [first.delay(n) for n in range(1, 9)] == [second.delay(n) for n in range(1, 9)]
