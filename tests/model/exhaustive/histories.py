"""The little history that invariants need, carried in each state; judged by the model's own ledger.

The rules themselves are those of ``model.invariants``, ``model.judgements`` and ``model.endings``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Final, cast

from gatewaycanary.api.status import Phase, Stage, Status, dump_status
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import Event
from gatewaycanary.core.observation import Observation
from model import endings, invariants
from model.exhaustive.nodes import Course, Facts
from model.exhaustive.times import NOW
from model.ledgers import Ledger
from model.observing import Memory, observe
from model.pictures import Picture
from model.replicas import Step
from model.specs import V1, V2
from model.worlds import World

LONG: Final = 60
"""Seconds beyond which an age makes no difference to any invariant."""


class Breach(Exception):  # noqa: N818 - it is a finding, not a failure of the program
    """Raised when an invariant does not hold; ``told`` begins with the rule's name."""

    def __init__(self, told: Iterable[str]) -> None:
        super().__init__("; ".join(told))


def hold(told: Iterable[str]) -> None:
    """Raise a breach where anything is told."""
    found = list(told)
    if found:
        raise Breach(found)


def ledger_of(facts: Facts, picture: Picture, status: Status | None) -> Ledger:
    """Write the facts down as a ledger whose present is second 0."""
    ledger = Ledger(seconds=lambda: 0.0)
    ledger.turned = set(facts.turned)
    ledger.passed = set(facts.passed)
    ledger.revisions = set(facts.revisions)
    ledger.written = set(facts.written)
    ledger.carried = {key: float(-age) for key, age in facts.carried}
    ledger.quiet_since = None if facts.quiet is None else float(-facts.quiet)
    ledger.let_go = facts.let_go
    if picture.resource is not None and status is not None:
        ledger.last_stored = picture.resource.status
        ledger.revision, ledger.announced = status.state.revision, status.state.announced
    return ledger


def facts_of(ledger: Ledger, course: Course) -> Facts:
    """Take the facts out of a ledger, as far as they still matter."""
    at = (ledger.revision, ledger.announced)
    return Facts(
        turned=frozenset(ledger.turned),
        passed=frozenset(one for one in ledger.passed if one[:2] == at),
        revisions=frozenset(ledger.revisions),
        written=frozenset(ledger.written),
        carried=tuple((key, round(-since)) for key, since in ledger.carried.items() if key == at),
        quiet=None if ledger.quiet_since is None else min(LONG, round(-ledger.quiet_since)),
        let_go=ledger.let_go,
        course=course,
    )


def older(facts: Facts, seconds: int) -> Facts:
    """Let time pass over the facts."""
    return facts._replace(
        carried=tuple((key, min(LONG, age + seconds)) for key, age in facts.carried),
        quiet=None if facts.quiet is None else min(LONG, facts.quiet + seconds),
    )


def changed(facts: Facts, picture: Picture, status: Status | None) -> Facts:
    """Note the facts of a changed cluster."""
    ledger = ledger_of(facts, picture, status)
    ledger.changed(picture)
    hold(_outlived(ledger, picture))
    return facts_of(ledger, facts.course)


def _outlived(ledger: Ledger, picture: Picture) -> Iterator[str]:
    for told in invariants.traffic_outlives_no_canary(ledger, picture):
        yield f"traffic_outlives_no_canary: {told}"


def decided(
    facts: Facts,
    picture: Picture,
    status: Status | None,
    observation: Observation,
    events: tuple[Event, ...],
) -> Facts:
    """Note what a decision saw and told."""
    ledger = ledger_of(facts, picture, status)
    ledger.decided(observation)
    for event in events:
        ledger.told(event)
    return facts_of(ledger, facts.course)


def performed(facts: Facts, step: Step, status: Status | None) -> Facts:
    """Judge an effect, and note what it made true."""
    ledger = ledger_of(facts, step.after, status)
    ledger.changed(step.after)
    hold(invariants.breaches(ledger, step))
    hold(_outlived(ledger, step.after))
    ledger.performed(step)
    return facts_of(ledger, facts.course)


def at_rest(picture: Picture, memory: Memory, facts: Facts) -> Iterator[str]:
    """Give what is wrong with a place where nothing happens any more."""
    shown = picture
    observation = observe(picture, memory, NOW)
    if observation is not None and picture.resource is not None:
        worded = dump_status(decide(observation).status)
        shown = replace(picture, resource=replace(picture.resource, status=worded))
    world = SimpleNamespace(
        now=lambda: shown,
        status=lambda: decide(cast("Observation", observation)).status,
        ledger=SimpleNamespace(let_go=facts.let_go),
        operator=SimpleNamespace(memory=memory),
        clock=lambda: NOW,
    )
    yield from endings.faults(cast("World", world))
    yield from _wrong_end(picture, world.status() if observation else None, facts.course)


def _wrong_end(picture: Picture, status: Status | None, course: Course) -> Iterator[str]:
    """6. Crashes, repeats, stale reads and second leaders change no end, up to deadlines."""
    if course is Course.DISTURBED or status is None or picture.stable is None:
        return
    if status.state.stage is not Stage.RESTING:
        return
    wanted = (Phase.SUCCEEDED, V2) if course is Course.GOOD else (Phase.FAILED, V1)
    found = (status.phase, picture.stable.image)
    if found != wanted:
        yield f"6. it ended {found[0]} with stable on {found[1]}, though nobody else interfered"
