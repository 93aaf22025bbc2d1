"""Which canary is looked at next: a queue of keys, not of events.

What holds at any time (the tests fuzz exactly this):

1. A key stands in the queue at most once, and is in the hands of at most one worker.
2. A key that was added is handed out after the add. If it was in a worker's hands at that moment,
   it is handed out once more after `done`, however often it was added.
3. Of the keys that stand ready, the one with the highest priority is handed out first; within a
   priority, the one that has stood there longest. Adding a queued key again never lowers its
   priority nor its place; a higher priority moves it to the end of that priority's line.
4. A key has at most one deadline, the earliest that it was given since it was last handed out.
   When it comes the key is added, never before. Handing the key out answers its deadline: who
   looks now will say anew when to look again.
5. After `close` nothing is handed out and nothing is added; who waits is told so.
6. What is kept is bounded by the number of keys: a superseded deadline is dropped when it comes up,
   or when such leftovers outnumber the real ones.

Time is the running loop's. An empty queue has no timer and wakes nobody.
"""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from enum import IntEnum
from itertools import count
from math import inf
from typing import Final, Generic, TypeVar

from gatewaycanary.kube.backoff import Backoff

K = TypeVar("K", bound=Hashable)

_SLACK: Final = 64


class Priority(IntEnum):
    """Order of urgency: traffic that must go back, rollouts under way, and all the rest."""

    ROLLBACK = 0
    ACTIVE = 1
    RESYNC = 2


class QueueClosedError(Exception):
    """Raised when a worker asks a queue that was closed."""


def unobserved(priority: Priority, seconds: float) -> None:
    """Take no note of how long a key stood ready."""


class Queue(Generic[K]):
    """Hand out keys to workers, each to one at a time.

    A worker calls `get`, and for each key it got exactly once `done`; before that, `forget` if all
    went well or `retry` if it did not. `on_latency` is told how long each key had stood ready.
    """

    def __init__(
        self,
        *,
        backoff: Backoff,
        on_latency: Callable[[Priority, float], None] = unobserved,
    ) -> None:
        self._backoff = backoff
        self._on_latency = on_latency
        self._lines: dict[Priority, OrderedDict[K, float]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._standing: dict[K, Priority] = {}
        self._in_flight: dict[K, Priority | None] = {}
        self._deadlines: dict[K, tuple[float, int, Priority]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = count()
        self._failures: dict[K, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._standing)

    @property
    def in_flight(self) -> int:
        """Return how many keys are in the hands of workers."""
        return len(self._in_flight)

    @property
    def scheduled(self) -> int:
        """Return how many keys have a deadline."""
        return len(self._deadlines)

    def depth(self, priority: Priority) -> int:
        """Return how many keys stand ready with this priority."""
        return len(self._lines[priority])

    def add(self, key: K, priority: Priority) -> None:
        """Have a key looked at as soon as a worker is free."""
        if self._closed:
            return
        if key not in self._in_flight:
            self._stand(key, priority)
            return
        again = self._in_flight[key]
        self._in_flight[key] = priority if again is None else min(again, priority)

    def add_after(self, key: K, delay: float, priority: Priority) -> None:
        """Have a key added in `delay` seconds, unless it is handed out or due before that."""
        if delay <= 0.0:
            self.add(key, priority)
            return
        due = asyncio.get_running_loop().time() + delay
        if self._closed or (key in self._deadlines and self._deadlines[key][0] <= due):
            return
        order = next(self._order)
        self._deadlines[key] = (due, order, priority)
        heapq.heappush(self._heap, (due, order, key))
        self._arm()

    async def get(self) -> K:
        """Return the next key, now this worker's; raise QueueClosedError after `close`."""
        while not self._standing and not self._closed:
            await self._turn()
        if self._closed:
            raise QueueClosedError
        return self._hand_out()

    def done(self, key: K) -> None:
        """Give a key back; it stands ready again at once if it was added meanwhile."""
        again = self._in_flight.pop(key)
        if again is not None and not self._closed:
            self._stand(key, again)
        if not self._in_flight:
            self._idle.set()

    def retry(
        self, key: K, priority: Priority, *, at_least: float = 0.0, at_most: float = inf
    ) -> float:
        """Note a failure, have the key added after its backoff, and return that delay."""
        tries = self._failures.get(key, 0) + 1
        self._failures[key] = tries
        delay = max(min(self._backoff.delay(tries), at_most), at_least)
        self.add_after(key, delay, priority)
        return delay

    def forget(self, key: K) -> None:
        """Let the key's next failure be its first."""
        self._failures.pop(key, None)

    def close(self) -> None:
        """Hand out nothing more and drop what stands ready or has a deadline."""
        self._closed = True
        for line in self._lines.values():
            line.clear()
        self._standing.clear()
        self._deadlines.clear()
        self._arm()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def drained(self) -> None:
        """Return when no key is in the hands of a worker."""
        await self._idle.wait()

    def _stand(self, key: K, priority: Priority) -> None:
        current = self._standing.get(key)
        if current is None:
            since = asyncio.get_running_loop().time()
            self._wake()
        elif priority < current:
            since = self._lines[current].pop(key)
        else:
            return
        self._standing[key] = priority
        self._lines[priority][key] = since

    def _hand_out(self) -> K:
        priority, line = next((p, line) for p, line in self._lines.items() if line)
        key, since = line.popitem(last=False)
        del self._standing[key]
        self._deadlines.pop(key, None)
        self._in_flight[key] = None
        self._idle.clear()
        self._on_latency(priority, asyncio.get_running_loop().time() - since)
        return key

    async def _turn(self) -> None:
        """Wait until there may be a key; pass the chance on if cancelled just then."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif not self._closed:
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _arm(self) -> None:
        """Have the timer run at the earliest real deadline, and not at all if there is none."""
        if len(self._heap) > 2 * len(self._deadlines) + _SLACK:
            self._heap = [(due, order, key) for key, (due, order, _) in self._deadlines.items()]
            heapq.heapify(self._heap)
        while self._heap and not self._is_real(self._heap[0]):
            heapq.heappop(self._heap)
        due = self._heap[0][0] if self._heap else None
        if self._timer is not None and (due is None or self._timer.when() != due):
            self._timer.cancel()
            self._timer = None
        if self._timer is None and due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if self._is_real(entry):
                key = entry[2]
                self.add(key, self._deadlines.pop(key)[2])
        self._arm()

    def _is_real(self, entry: tuple[float, int, K]) -> bool:
        _, order, key = entry
        return key in self._deadlines and self._deadlines[key][1] == order
