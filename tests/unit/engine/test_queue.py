"""The queue's invariants, one by one and then fuzzed, in virtual time."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.engine.queue import Priority, Queue, QueueClosedError
from gatewaycanary.kube.backoff import Backoff
from unit.kube.virtual_time import VirtualLoop, now, settle, virtual

ACTIVE, RESYNC, ROLLBACK = Priority.ACTIVE, Priority.RESYNC, Priority.ROLLBACK


def make() -> Queue[str]:
    """Return an empty queue whose first backoff is between half a second and one."""
    return Queue(backoff=Backoff(first=1.0, limit=60.0, rng=Random(1)))


async def drain(queue: Queue[str]) -> list[str]:
    """Take all that stands ready, each given back at once."""
    taken = []
    while len(queue):
        taken.append(await queue.get())
        queue.done(taken[-1])
    return taken


@virtual
async def test_a_key_stands_once() -> None:
    """However often a key is added, it is handed out once."""
    queue = make()
    for _ in range(3):
        queue.add("a", ACTIVE)
    assert await drain(queue) == ["a"]


@virtual
async def test_the_most_urgent_first_and_then_the_oldest() -> None:
    """Rollback before active before resync; within one, first come first served."""
    queue = make()
    for key, priority in zip("abcdef", [RESYNC, ACTIVE, ROLLBACK] * 2, strict=True):
        queue.add(key, priority)
    assert [queue.depth(priority) for priority in Priority] == [2, 2, 2]
    assert await drain(queue) == ["c", "f", "b", "e", "a", "d"]


@virtual
async def test_a_queued_key_is_raised_but_never_lowered() -> None:
    """A rollback overtakes although its key was queued as a resync; a resync changes nothing."""
    queue = make()
    for key in "abc":
        queue.add(key, ACTIVE)
    queue.add("c", ROLLBACK)
    queue.add("c", RESYNC)
    queue.add("a", RESYNC)
    assert await drain(queue) == ["c", "a", "b"]


@virtual
async def test_one_in_flight_a_key() -> None:
    """A key that a worker holds is not handed to another, but runs again after it."""
    queue = make()
    queue.add("a", ACTIVE)
    assert await queue.get() == "a"
    for priority in (RESYNC, ROLLBACK, ACTIVE):
        queue.add("a", priority)
    other = asyncio.create_task(queue.get())
    await settle()
    assert not other.done()
    queue.done("a")
    assert queue.depth(ROLLBACK) == 1
    assert await other == "a"
    queue.done("a")
    assert len(queue) == queue.in_flight == 0


@virtual
async def test_a_deadline_comes_at_its_time() -> None:
    """Not before, not later."""
    queue = make()
    queue.add_after("a", 30.0, ACTIVE)
    assert (len(queue), queue.scheduled) == (0, 1)
    assert await queue.get() == "a"
    assert now() == pytest.approx(30.0)
    assert queue.scheduled == 0


@virtual
async def test_the_earliest_deadline_wins() -> None:
    """A key comes up once, at the earliest of its deadlines."""
    queue = make()
    for delay in (30.0, 10.0, 20.0):
        queue.add_after("a", delay, ACTIVE)
    assert await queue.get() == "a"
    assert now() == pytest.approx(10.0)
    queue.done("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 100)


@virtual
async def test_handing_out_answers_the_deadline() -> None:
    """Who looks now says anew when to look again."""
    queue = make()
    queue.add_after("a", 30.0, ACTIVE)
    queue.add("a", ACTIVE)
    assert await queue.get() == "a"
    assert queue.scheduled == 0
    queue.add_after("a", 50.0, ACTIVE)
    queue.done("a")
    assert await queue.get() == "a"
    assert now() == pytest.approx(50.0)


@virtual
async def test_a_deadline_during_a_run_runs_the_key_again() -> None:
    """It comes while a worker holds the key, and counts as an add."""
    queue = make()
    queue.add("a", ACTIVE)
    await queue.get()
    queue.add_after("a", 5.0, ROLLBACK)
    await asyncio.sleep(10)
    assert len(queue) == 0
    queue.done("a")
    assert queue.depth(ROLLBACK) == 1


@virtual
async def test_no_delay_is_an_add() -> None:
    """What is due already stands at once."""
    queue = make()
    queue.add_after("a", 0.0, ACTIVE)
    queue.add_after("b", -1.0, ACTIVE)
    assert len(queue) == 2
    assert queue.scheduled == 0


@virtual
async def test_superseded_deadlines_do_not_pile_up() -> None:
    """Ever earlier deadlines of one key leave no heap behind."""
    queue = make()
    for step in range(10_000):
        queue.add_after("a", 20_000.0 - step, ACTIVE)
    assert len(queue._heap) < 200
    assert await queue.get() == "a"
    assert now() == pytest.approx(10_001.0)


@virtual
async def test_failures_back_off_and_success_forgets() -> None:
    """Each failure in a row waits about twice as long; other keys are not touched by it."""
    queue = make()
    delays = [queue.retry("a", ACTIVE) for _ in range(8)]
    assert all(0.5 * 2**n <= delay <= 2**n for n, delay in enumerate(delays[:6]))
    assert max(delays) <= 60.0
    assert queue.retry("b", ACTIVE) <= 1.0
    queue.forget("a")
    assert queue.retry("a", ACTIVE) <= 1.0
    assert queue.retry("a", ACTIVE, at_least=17.0) == 17.0
    assert max(queue.retry("a", ACTIVE, at_most=3.0) for _ in range(8)) == 3.0
    assert queue.retry("a", ACTIVE, at_least=5.0, at_most=3.0) == 5.0


@virtual
async def test_the_latency_of_each_key_is_told() -> None:
    """From the first add to the handing out, also when the key was raised meanwhile."""
    told: list[tuple[Priority, float]] = []
    queue: Queue[str] = Queue(
        backoff=Backoff(first=1.0, limit=60.0, rng=Random(1)),
        on_latency=lambda priority, seconds: told.append((priority, seconds)),
    )
    queue.add("a", ACTIVE)
    await asyncio.sleep(3)
    queue.add("a", ROLLBACK)
    await asyncio.sleep(1)
    await queue.get()
    assert [priority for priority, _ in told] == [ROLLBACK]
    assert told[0][1] == pytest.approx(4.0)


@virtual
async def test_close_stops_workers_and_drops_the_rest() -> None:
    """Who waits and who asks later is told; what is in flight may end, and is waited for."""
    queue = make()
    queue.add("held", ACTIVE)
    await queue.get()
    waiting = asyncio.create_task(queue.get())
    await settle()
    queue.add_after("late", 5.0, ACTIVE)
    queue.close()
    with pytest.raises(QueueClosedError):
        await waiting
    queue.add("new", ACTIVE)
    queue.add_after("new", 1.0, ACTIVE)
    queue.add("held", ACTIVE)
    drained = asyncio.create_task(queue.drained())
    await settle()
    assert not drained.done()
    queue.done("held")
    await drained
    assert (len(queue), queue.scheduled) == (0, 0)
    with pytest.raises(QueueClosedError):
        await queue.get()


@virtual
async def test_a_cancelled_worker_loses_no_key() -> None:
    """A worker that is cancelled just when it was woken passes the key on."""
    queue = make()
    first, second = (asyncio.create_task(queue.get()) for _ in range(2))
    await settle()
    queue.add("a", ACTIVE)
    first.cancel()
    assert await second == "a"


@virtual
async def test_an_empty_queue_wakes_nobody() -> None:
    """No timer is left when there is no deadline."""
    queue = make()
    queue.add_after("a", 5.0, ACTIVE)
    queue.add("a", ACTIVE)
    await drain(queue)
    assert queue._timer is None or queue._timer.when() <= 5.0
    await asyncio.sleep(10)
    assert queue._timer is None


def test_giving_back_a_key_that_nobody_holds_is_an_error() -> None:
    """A worker's mistake does not pass in silence."""

    async def main() -> None:
        make().done("a")

    with pytest.raises(KeyError), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


@dataclass
class Model:
    """What must be true of the queue, kept by the fuzzer itself."""

    rng: Random
    queue: Queue[str]
    owed: dict[str, Priority] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    deadlines: dict[str, tuple[float, Priority]] = field(default_factory=dict)
    handed: int = 0

    def add(self) -> None:
        """Add a key now, or give it a deadline."""
        key, priority = self.rng.choice("abcdef"), self.rng.choice(list(Priority))
        if self.rng.random() < 0.5:
            self.queue.add(key, priority)
            self.owe(key, priority)
            return
        self._come_due(now() - 1e-6)
        delay = self.rng.choice([0.0, 1.0, 7.0]) * self.rng.random()
        self.queue.add_after(key, delay, priority)
        if delay == 0.0:
            self.owe(key, priority)
        elif key not in self.deadlines or now() + delay < self.deadlines[key][0]:
            self.deadlines[key] = (now() + delay, priority)

    def owe(self, key: str, priority: Priority) -> None:
        """Note that the key must be handed out, at least so urgently."""
        self.owed[key] = min(self.owed.get(key, priority), priority)

    def _come_due(self, until: float) -> None:
        for key, (due, priority) in list(self.deadlines.items()):
            if due <= until:
                del self.deadlines[key]
                self.owe(key, priority)

    async def work(self) -> None:
        """Take keys until the queue closes, hold each for a while, and give it back."""
        while True:
            key = await self.queue.get()
            self._handed_out(key)
            await asyncio.sleep(self.rng.choice([0.0, 0.0, 0.3, 3.0]) * self.rng.random())
            self.held.discard(key)
            self.queue.done(key)

    def _handed_out(self, key: str) -> None:
        assert key not in self.held, "two workers hold one key"
        self._come_due(now() - 1e-6)
        due, priority = self.deadlines.pop(key, (float("inf"), RESYNC))
        if due <= now() + 1e-6:
            self.owe(key, priority)
        assert key in self.owed, "before its time"
        mine = self.owed.pop(key)
        ready = [p for other, p in self.owed.items() if other not in self.held]
        assert all(mine <= p for p in ready), "a more urgent key stood ready"
        self.held.add(key)
        self.handed += 1


@settings(deadline=None, max_examples=300)
@given(seed=st.integers(min_value=0, max_value=2**32), workers=st.integers(1, 4))
def test_the_invariants_hold_in_any_mix(seed: int, workers: int) -> None:
    """Adds, deadlines, slow and cancelled workers: nothing runs twice at once, nothing is lost."""
    print(f"seed={seed} workers={workers}")

    async def main() -> None:
        model = Model(rng=Random(seed), queue=make())
        tasks = [asyncio.create_task(model.work()) for _ in range(workers)]
        for _ in range(50):
            model.add()
            if model.rng.random() < 0.4:
                await asyncio.sleep(model.rng.choice([0.0, 0.1, 1.0]) * model.rng.random())
            if model.rng.random() < 0.1:
                tasks.append(asyncio.create_task(_impatient(model.queue)))
        await asyncio.sleep(1000)
        assert not any(task.done() and task.exception() for task in tasks)
        assert (model.owed, model.held, len(model.queue)) == ({}, set(), 0), "a key was lost"
        assert model.queue.scheduled == len(model.deadlines) == 0, "a deadline was lost"
        assert model.handed > 0
        model.queue.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result is None or isinstance(result, QueueClosedError) for result in results)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


async def _impatient(queue: Queue[str]) -> None:
    """Wait for a key for less than no time, as a worker that is cancelled while it waits."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await queue._turn()
