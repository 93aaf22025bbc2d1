"""How long answers take: from a fact's arrival to the next write, and the event loop's own lag."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from time import perf_counter
from typing import Generic, NoReturn, TypeVar

from gatewaycanary.telemetry.metrics import ReactionKind

K = TypeVar("K", bound=Hashable)


class Reactions(Generic[K]):
    """Measure the time from the first unanswered fact about a key to the write that answers it.

    A look that writes nothing settles the facts before it: nothing was to be done about them.
    """

    def __init__(
        self,
        observe: Callable[[ReactionKind, float], None],
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._observe = observe
        self._clock = clock
        self._since: dict[K, float] = {}

    def arrived(self, key: K) -> None:
        """Note that a fact about the key has come in."""
        self._since.setdefault(key, self._clock())

    def answered(self, key: K, kind: ReactionKind) -> None:
        """Note that a write about the key is being sent."""
        since = self._since.pop(key, None)
        if since is not None:
            self._observe(kind, self._clock() - since)

    def settled(self, key: K) -> None:
        """Note that the facts so far asked for no write."""
        self._since.pop(key, None)


async def measure_lag(observe: Callable[[float], None], *, interval: float = 1.0) -> NoReturn:
    """Tell again and again how much too late the event loop wakes who asked to be woken."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + interval
        await asyncio.sleep(interval)
        observe(max(0.0, clock() - due))
