"""What is remembered of a canary, and how what repeats is slowed down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gatewaycanary.api.status import Status
from gatewaycanary.core.decision import CreateCanaryService, ReadTestLog
from gatewaycanary.core.observation import RunView
from gatewaycanary.engine.memory import (
    DOUBLINGS,
    PACE,
    REPEATS_ALLOWED,
    Fingerprint,
    Memory,
    Recollection,
)
from unit.core.objects import UID, canary

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAID: Fingerprint = (Status(), (ReadTestLog(),), RunView())
OTHER: Fingerprint = (Status(), (CreateCanaryService(),), RunView())
LONGEST = PACE * 2**DOUBLINGS


def performed(kept: Recollection, said: Fingerprint, *, within: timedelta) -> list[datetime]:
    """Ask as soon as the last answer allows; give the moments at which it was performed."""
    moments, now = [], NOW
    while now < NOW + within:
        wait = kept.pace(said, now=now)
        if wait <= timedelta():
            moments.append(now)
        now += max(wait, timedelta(milliseconds=1))
    return moments


def test_a_new_decision_is_never_put_off() -> None:
    """Nor are its first repeats, which a lost answer explains."""
    kept = Recollection(uid=UID)
    waits = [kept.pace(SAID, now=NOW) for _ in range(REPEATS_ALLOWED + 1)]
    assert all(wait <= timedelta() for wait in waits)
    assert kept.pace(SAID, now=NOW) > timedelta()
    assert kept.pace(OTHER, now=NOW) <= timedelta()


def test_a_repeated_decision_is_put_off_longer_and_longer() -> None:
    """A loop of a thousand looks a second comes down to a few performances, and never stops."""
    moments = performed(Recollection(uid=UID), SAID, within=timedelta(minutes=10))
    assert len(moments) < 40
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    slow = [gap for gap in gaps if gap >= PACE]
    assert slow == sorted(slow)
    assert max(gaps) <= LONGEST + timedelta(milliseconds=1)


def test_the_wait_ends() -> None:
    """A look in between neither performs nor makes the wait longer."""
    kept = Recollection(uid=UID)
    for _ in range(REPEATS_ALLOWED + 1):
        kept.pace(SAID, now=NOW)
    wait = kept.pace(SAID, now=NOW)
    assert kept.pace(SAID, now=NOW + wait / 2) == wait / 2
    assert kept.pace(SAID, now=NOW + wait) <= timedelta()


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    """An hour back is not an hour of waiting."""
    kept = Recollection(uid=UID)
    for _ in range(REPEATS_ALLOWED + 2):
        kept.pace(SAID, now=NOW)
    assert kept.pace(SAID, now=NOW - timedelta(hours=1)) <= timedelta()


def test_a_namesake_is_somebody_else() -> None:
    """A canary that was deleted and made anew inherits nothing."""
    memory = Memory()
    first = memory.of(("shop", "web"), uid="1")
    first.cleaned = 4
    assert memory.of(("shop", "web"), uid="1") is first
    assert memory.of(("shop", "web"), uid="2").cleaned == 0
    assert memory.of(("shop", "web"), uid="1") is not first


def test_what_is_gone_is_forgotten() -> None:
    """A name that was used once costs nothing for ever."""
    memory = Memory()
    first = memory.of(("shop", "web"), uid="1")
    memory.forget(("shop", "web"))
    memory.forget(("shop", "never"))
    assert memory.of(("shop", "web"), uid="1") is not first


def test_since_when_the_route_could_not_be_written() -> None:
    """The first of a row of failures counts, and one success ends the row."""
    memory, key = Memory(), ("shop", "web")
    memory.note_unwritable(key, since=NOW)
    assert not memory.is_unwritable(key), "nothing is kept of what was never looked at"
    memory.of(key, uid="1")
    memory.note_unwritable(key, since=NOW)
    memory.note_unwritable(key, since=NOW + timedelta(seconds=9))
    assert memory.of(key, uid="1").unwritable_since == NOW
    assert memory.is_unwritable(key)
    memory.note_written(key)
    assert memory.of(key, uid="1").unwritable_since is None
    assert not memory.is_unwritable(key)


def test_each_version_is_parsed_once() -> None:
    """The same resourceVersion gives the same object, another one a new reading."""
    kept, found = Recollection(uid=UID), canary()
    one = {**found, "metadata": {**found["metadata"], "resourceVersion": "1"}}
    two = {**found, "metadata": {**found["metadata"], "resourceVersion": "2"}}
    assert kept.read(one) is kept.read(dict(one))
    assert kept.read(two).meta.resource_version == "2"
