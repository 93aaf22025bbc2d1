"""The order of one look, and what becomes of a look that fails, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from gatewaycanary.api.status import Stage, State, Status
from gatewaycanary.core.decision import (
    Action,
    CreateCanaryService,
    Decision,
    DeleteCanary,
    Event,
    RestoreRoute,
    WithdrawWeight,
)
from gatewaycanary.core.observation import Meta, Observation
from gatewaycanary.engine import reconciler as module
from gatewaycanary.engine.act import Actor
from gatewaycanary.engine.memory import Memory
from gatewaycanary.engine.observe import Observed, Observer
from gatewaycanary.engine.parsing import UnreadableStatusError
from gatewaycanary.engine.queue import Priority, Queue, QueueClosedError
from gatewaycanary.engine.reconciler import REVERT_PATIENCE, Reconciler
from gatewaycanary.engine.record import Recorder
from gatewaycanary.engine.relations import Key
from gatewaycanary.engine.surroundings import Surroundings
from gatewaycanary.kube.backoff import Backoff
from gatewaycanary.kube.errors import FencedError, SpecError, UnreachableError
from gatewaycanary.telemetry.metrics import Metrics
from gatewaycanary.telemetry.timing import Reactions
from unit.engine.fakes import forbidden, missing, stale, throttled
from unit.kube.virtual_time import now, virtual

KEY = ("shop", "web")
START = datetime(2026, 1, 1, tzinfo=UTC)
WITHDRAW, CREATE, DELETE = WithdrawWeight(mark="r-1"), CreateCanaryService(), DeleteCanary()
TOLD = Event(reason="Told", message="news")
META = Meta(uid="u", namespace="shop", name="web", generation=1)
BACK = Decision(
    status=Status(message="back"), urgent=(WITHDRAW,), actions=(DELETE,), events=(TOLD,)
)
LEAVE = Decision(status=Status(message="leave"), actions=(RestoreRoute(),))
FORTH = Decision(status=Status(message="forth"), actions=(CREATE, DELETE), events=(TOLD,))

Step = tuple[str, object]


class StubObserver(Observer):
    """See what a test lays ready."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.there = True
        self.uid = "u"
        self.error: Exception | None = None
        self.standing = Stage.RAMPING

    def roll_back(self) -> None:
        """Have the canary stored as rolling back."""
        self.standing = Stage.ROLLING_BACK

    def stage(self, key: Key) -> Stage:
        """Tell the stage."""
        return self.standing

    def observe(self, key: Key, *, now: datetime) -> Observed | None:
        """Give an observation."""
        if self.error is not None:
            raise self.error
        if not self.there:
            return None
        return Observed(
            key=key,
            observation=Observation(now=now, meta=META, spec=None, status=Status()),
            raw={},
            recollection=self.memory.of(key, uid=self.uid),
            around=Surroundings(),
        )


class StubActor(Actor):
    """Note effects, and fail where a test says so."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps
        self.errors: dict[Action, list[Exception]] = {}
        self.again: set[Action] = set()

    async def perform(self, observed: Observed, action: Action) -> bool:
        """Note an effect."""
        self._steps.append(("act", action))
        waiting = self.errors.get(action)
        if waiting:
            raise waiting.pop(0)
        return action in self.again


class StubRecorder(Recorder):
    """Note what is recorded and told."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps
        self.errors: list[Exception] = []
        self.on_record: list[Callable[[], None]] = []

    async def record(self, observed: Observed, decision: Decision) -> bool:
        """Note a status."""
        self._steps.append(("record", decision.status.message))
        if self.errors:
            raise self.errors.pop(0)
        for hook in self.on_record:
            hook()
        return True

    async def tell(self, meta: Meta, status: Status, events: Iterable[Event]) -> None:
        """Note events."""
        self._steps.extend(("tell", event.reason) for event in events)

    async def tell_unreadable(self, key: Key, error: UnreadableStatusError) -> None:
        """Note that a status could not be read."""
        self._steps.append(("unreadable", str(error)))


class Setting:
    """A reconciler between stubs, on a real queue."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, decision: Decision) -> None:
        self.steps: list[Step] = []
        self.decision = decision
        self.queue: Queue[Key] = Queue(backoff=Backoff(first=0.1, limit=30.0, rng=Random(1)))
        self.observer = StubObserver()
        self.actor = StubActor(self.steps)
        self.recorder = StubRecorder(self.steps)
        self.metrics = Metrics()
        self.reactions: list[tuple[str, float]] = []
        self.facts: Reactions[Key] = Reactions(
            lambda kind, seconds: self.reactions.append((kind, seconds)), clock=now
        )
        self.reconciler = Reconciler(
            queue=self.queue,
            observer=self.observer,
            recorder=self.recorder,
            actor=self.actor,
            metrics=self.metrics,
            reactions=self.facts,
            clock=lambda: START + timedelta(seconds=now()),
        )
        monkeypatch.setattr(module, "decide", lambda _: self.decision)

    async def work(self, *, until: float = 0.0) -> None:
        """Have one worker at work until a moment."""
        task = asyncio.create_task(self.reconciler.work())
        await asyncio.wait({task}, timeout=max(until - now(), 0.0) + 0.001)
        if task.done():
            task.result()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def errors(self, name: str) -> float:
        """Give how many looks ended in an error of this class."""
        labels = {"kind": name}
        return self.metrics.registry.get_sample_value("gatewaycanary_errors_total", labels) or 0.0

    def standing(self) -> list[str]:
        """Name the priorities at which keys stand ready."""
        return [one.name for one in Priority if self.queue.depth(one)]


@virtual
async def test_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status that announces comes before the effects, and the events after them."""
    setting = Setting(monkeypatch, FORTH)
    await setting.reconciler.reconcile(KEY)
    assert setting.steps == [
        ("record", "forth"),
        ("act", CREATE),
        ("act", DELETE),
        ("tell", "Told"),
    ]


@virtual
async def test_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A revert's route write waits for nothing, not even for its own status."""
    setting = Setting(monkeypatch, BACK)
    await setting.reconciler.reconcile(KEY)
    assert setting.steps == [
        ("act", WITHDRAW),
        ("record", "back"),
        ("act", DELETE),
        ("tell", "Told"),
    ]


@virtual
async def test_a_revert_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status is stored all the same, and the write comes again soon and before all others."""
    setting = Setting(monkeypatch, BACK)
    setting.actor.errors[WITHDRAW] = [UnreachableError("no answer")] * 30
    setting.recorder.on_record.append(setting.observer.roll_back)
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    assert setting.steps[:2] == [("act", WITHDRAW), ("record", "back")]
    assert setting.observer.memory.is_unwritable(KEY)
    assert setting.errors("UnreachableError") == 1
    await setting.work(until=60.0)
    tries = setting.steps.count(("act", WITHDRAW))
    assert tries >= 60.0 / REVERT_PATIENCE, "a minute's outage makes it wait for no other"
    await setting.work(until=90.0)
    assert not setting.observer.memory.is_unwritable(KEY)


@virtual
async def test_a_revert_that_fails_and_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conflict of its status does not take its urgency away."""
    setting = Setting(monkeypatch, BACK)
    setting.actor.errors[WITHDRAW] = [UnreachableError("no answer")]
    setting.recorder.errors = [stale()]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    await asyncio.sleep(REVERT_PATIENCE)
    assert setting.standing() == ["ROLLBACK"]


@virtual
async def test_a_revert_of_a_route_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no route there is nothing that cannot be written."""
    setting = Setting(monkeypatch, BACK)
    setting.actor.errors[WITHDRAW] = [missing()]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    assert not setting.observer.memory.is_unwritable(KEY)
    assert ("record", "back") in setting.steps
    assert setting.queue.scheduled == 1


@virtual
async def test_a_restore_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that cannot be left as it was found is unwritable too, until it can be."""
    setting = Setting(monkeypatch, LEAVE)
    setting.actor.errors[RestoreRoute()] = [UnreachableError("no answer")]
    with pytest.raises(UnreachableError):
        await setting.reconciler.reconcile(KEY)
    assert setting.observer.memory.is_unwritable(KEY)
    await setting.reconciler.reconcile(KEY)
    assert not setting.observer.memory.is_unwritable(KEY)


@virtual
async def test_unwritable_ends_with_the_wish_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a deletion much later would give up on a route that nobody has tried to write."""
    setting = Setting(monkeypatch, BACK)
    setting.actor.errors[WITHDRAW] = [UnreachableError("no answer")]
    with pytest.raises(UnreachableError):
        await setting.reconciler.reconcile(KEY)
    setting.decision = FORTH
    await setting.reconciler.reconcile(KEY)
    assert not setting.observer.memory.is_unwritable(KEY)


@virtual
async def test_a_conflict_performs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not announced is not done and not told; a new look follows."""
    setting = Setting(monkeypatch, FORTH)
    setting.recorder.errors = [stale()]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    assert setting.steps == [("record", "forth")]
    assert setting.errors("ConflictError") == 1
    await setting.work(until=1.0)
    assert setting.steps[1:] == [
        ("record", "forth"),
        ("act", CREATE),
        ("act", DELETE),
        ("tell", "Told"),
    ]
    assert setting.queue.scheduled == 0


@virtual
async def test_an_effect_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those after it wait for the next look; the news is told."""
    setting = Setting(monkeypatch, FORTH)
    setting.actor.errors[CREATE] = [UnreachableError("no answer")]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    assert setting.steps == [("record", "forth"), ("act", CREATE), ("tell", "Told")]
    assert setting.queue.scheduled == 1


@virtual
async def test_a_refusal_is_told_to_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """They see why nothing moves, and a second passes before the next try."""
    setting = Setting(monkeypatch, FORTH)
    setting.actor.errors[CREATE] = [forbidden("quota")]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=0.9)
    assert setting.steps[-2:] == [("tell", "Told"), ("tell", "RequestRefused")]
    assert setting.steps.count(("act", CREATE)) == 1
    await setting.work(until=1.1)
    assert setting.steps.count(("act", CREATE)) == 2


@virtual
async def test_a_server_that_asks_for_patience_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A revert waits no less: the server would only refuse it again."""
    setting = Setting(monkeypatch, BACK)
    setting.actor.errors[WITHDRAW] = [throttled(7.0)]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=6.9)
    assert setting.steps.count(("act", WITHDRAW)) == 1
    await setting.work(until=7.1)
    assert setting.steps.count(("act", WITHDRAW)) == 2


@virtual
async def test_an_event_does_not_cut_the_patience_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens meanwhile is looked at, and nothing is sent before the server wants it."""
    setting = Setting(monkeypatch, FORTH)
    setting.actor.errors[CREATE] = [throttled(7.0)]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    sent = len(setting.steps)
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=6.9)
    assert len(setting.steps) == sent
    await setting.work(until=7.1)
    assert setting.steps[sent:] == [
        ("record", "forth"),
        ("act", CREATE),
        ("act", DELETE),
        ("tell", "Told"),
    ]


@virtual
async def test_a_revert_has_patience_with_its_own_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event, or a conflict of the status, does not send what was just put off."""
    setting = Setting(monkeypatch, BACK)
    setting.actor.errors[WITHDRAW] = [throttled(7.0)]
    setting.recorder.errors = [stale()]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=6.9)
    assert setting.steps.count(("act", WITHDRAW)) == 1
    await setting.work(until=7.1)
    assert setting.steps.count(("act", WITHDRAW)) == 2


@virtual
async def test_the_way_back_has_patience_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same write is sent first after the status that announces it, and then before all."""
    setting = Setting(monkeypatch, Decision(status=Status(message="home"), actions=(WITHDRAW,)))
    setting.actor.errors[WITHDRAW] = [throttled(7.0)]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    setting.decision = BACK
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=6.9)
    assert setting.steps.count(("act", WITHDRAW)) == 1


@virtual
async def test_a_revert_needs_no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 429 for something else does not keep traffic on a canary that has failed."""
    setting = Setting(monkeypatch, FORTH)
    setting.actor.errors[CREATE] = [throttled(7.0)]
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    setting.decision = BACK
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    assert ("act", WITHDRAW) in setting.steps


@pytest.mark.parametrize("where", ["urgent", "record", "act"])
@virtual
async def test_a_lost_lease_ends_the_worker(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Wherever it shows, nothing further is tried, and the key is given back."""
    setting = Setting(monkeypatch, BACK)
    if where == "record":
        setting.recorder.errors = [FencedError("lost")]
    else:
        failing: Action = WITHDRAW if where == "urgent" else DELETE
        setting.actor.errors[failing] = [FencedError("lost")]
    setting.queue.add(KEY, Priority.ACTIVE)
    with pytest.raises(FencedError):
        await setting.work()
    assert ("tell", "Told") not in setting.steps
    assert setting.queue.in_flight == 0
    assert setting.queue.scheduled == 0


@virtual
async def test_a_bug_stops_one_canary_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted, logged with its traceback, tried again, and the worker lives on."""
    setting = Setting(monkeypatch, FORTH)
    setting.observer.error = ZeroDivisionError("oops")
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work()
    assert setting.errors("ZeroDivisionError") == 1
    assert any(one.exc_info and "a bug" in one.getMessage() for one in caplog.records)
    setting.observer.error = None
    await setting.work(until=1.0)
    assert ("record", "forth") in setting.steps


@virtual
async def test_a_status_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told and left; only a change of the object can help, so nothing is tried again."""
    setting = Setting(monkeypatch, FORTH)
    setting.observer.error = UnreadableStatusError("status.state.stage: Flying")
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=60.0)
    assert setting.steps == [("unreadable", "status.state.stage: Flying")]
    assert setting.errors("UnreadableStatusError") == 1
    assert setting.queue.scheduled == 0


@virtual
async def test_what_repeats_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision whose effects change nothing is performed less and less often."""
    setting = Setting(monkeypatch, FORTH)
    setting.actor.again = {CREATE}
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=60.0)
    assert 3 < setting.steps.count(("act", CREATE)) < 20


@virtual
async def test_a_revert_is_never_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is decided, it goes out at once."""
    setting = Setting(monkeypatch, BACK)
    for _ in range(50):
        setting.queue.add(KEY, Priority.ACTIVE)
        await setting.work(until=now())
    assert setting.steps.count(("act", WITHDRAW)) == 50


@virtual
async def test_slowed_down_but_not_past_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that is put off is looked at again when it asked to be."""
    setting = Setting(
        monkeypatch,
        Decision(status=Status(), actions=(CREATE,), requeue_after=timedelta(seconds=2)),
    )
    setting.queue.add(KEY, Priority.ACTIVE)
    looks: list[float] = []
    seen = setting.observer.observe

    def observe(key: Key, *, now: datetime) -> Observed | None:
        looks.append((now - START).total_seconds())
        return seen(key, now=now)

    monkeypatch.setattr(setting.observer, "observe", observe)
    await setting.work(until=60.0)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert max(gaps) <= 2.01
    assert setting.steps.count(("act", CREATE)) < 20


@virtual
async def test_a_deadline_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that only waits is made again at its moment and not before."""
    setting = Setting(
        monkeypatch, Decision(status=Status(message="wait"), requeue_after=timedelta(seconds=5))
    )
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=4.9)
    assert setting.steps == [("record", "wait")]
    await setting.work(until=5.1)
    assert setting.steps == [("record", "wait")] * 2


@virtual
async def test_series_live_as_long_as_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """They begin with the first look, start anew for a namesake, and vanish with the object."""
    setting = Setting(monkeypatch, Decision(status=Status()))
    labels = {"namespace": "shop", "name": "web", "phase": "Pending"}

    def phase() -> float | None:
        return setting.metrics.registry.get_sample_value("gatewaycanary_phase", labels)

    def corrections() -> float | None:
        of_object = {"namespace": "shop", "name": "web"}
        name = "gatewaycanary_drift_corrections_total"
        return setting.metrics.registry.get_sample_value(name, of_object)

    assert phase() is None
    await setting.reconciler.reconcile(KEY)
    assert phase() == 1.0
    ramping = State(stage=Stage.RAMPING, revision="r")
    drifted = State(stage=Stage.RAMPING, revision="r", corrections=1)
    setting.metrics.observe_transition(META, Status(state=ramping), Status(state=drifted))
    await setting.reconciler.reconcile(KEY)
    assert corrections() == 1.0
    setting.observer.uid = "another"
    await setting.reconciler.reconcile(KEY)
    assert corrections() == 0.0
    setting.observer.there = False
    await setting.reconciler.reconcile(KEY)
    assert phase() is None


@virtual
async def test_reactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the fact to the write that answers it: the route's for a revert, else the status's."""
    setting = Setting(monkeypatch, FORTH)
    for decision, kind in ((FORTH, "gate"), (BACK, "revert")):
        setting.decision = decision
        setting.facts.arrived(KEY)
        await asyncio.sleep(3.0)
        setting.queue.add(KEY, Priority.ACTIVE)
        await setting.work(until=now())
        ((seen, seconds),) = setting.reactions
        assert (seen, round(seconds, 1)) == (kind, 3.0)
        setting.reactions.clear()
    setting.queue.add(KEY, Priority.ACTIVE)
    await setting.work(until=now())
    assert setting.reactions == [], "no fact, no reaction"


@virtual
async def test_a_closed_queue_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not left waiting for keys that will never come."""
    setting = Setting(monkeypatch, FORTH)
    setting.queue.close()
    with pytest.raises(QueueClosedError):
        await setting.reconciler.work()


def test_every_refusal_waits_a_second_and_trouble_waits_for_its_backoff() -> None:
    """Somebody must change something first, or the server only needs a moment."""
    patience = module._asked_patience
    assert patience(SpecError("x")) == patience(forbidden()) == 1.0
    assert patience(UnreachableError("x")) == 0.0
    assert patience(throttled(4.0)) == 4.0
