"""A standby follows a leader that is gone: how long it takes until the next decision."""

from __future__ import annotations

import signal
from collections.abc import Callable
from time import monotonic

import pytest

from devcluster.waiting import wait_until
from gatewaycanary.kube.lease import Terms
from integration.api.canaries import Canaries
from integration.engine.conftest import Start
from integration.engine.replicas import Replica
from integration.engine.test_replicas import options, served

pytestmark = pytest.mark.apiserver

LATEST = 30.0
Record = Callable[[str, object], None]


def pair(start: Start, canaries: Canaries) -> tuple[Replica, Replica]:
    """Start a leader and a standby that is warm."""
    leader = start(*options(canaries))
    leader.await_leading()
    standby = start(*options(canaries))
    standby.await_ready()
    assert not standby.leads()
    return leader, standby


def ask_for(canaries: Canaries, name: str, image: str) -> None:
    """Give cause for a decision."""
    changed = canaries.read(name)
    changed["spec"]["image"] = image
    canaries.replace(changed)


def decided(canaries: Canaries, name: str) -> bool:
    """Tell whether the spec as it is now was looked at."""
    found = canaries.read(name)
    return bool(found["status"]["observedGeneration"] == found["metadata"]["generation"])


@pytest.mark.parametrize(
    ("number", "within"),
    [
        pytest.param(signal.SIGKILL, Terms().duration + 1.0, id="killed"),
        pytest.param(signal.SIGTERM, 1.0, id="shut-down"),
    ],
)
def test_the_next_decision(
    start: Start,
    canaries: Canaries,
    record_property: Record,
    number: signal.Signals,
    within: float,
) -> None:
    """It comes a second after the Lease has run out, and within one where the Lease was freed."""
    leader, standby = pair(start, canaries)
    name = served(canaries)
    leader.process.send_signal(number)
    gone = monotonic()
    ask_for(canaries, name, "example/gateway:3")
    assert wait_until(lambda: decided(canaries, name), LATEST), standby.said()
    seconds = monotonic() - gone
    record_property("seconds", f"{seconds:.2f}")
    assert standby.leads()
    assert seconds <= within, standby.said()
