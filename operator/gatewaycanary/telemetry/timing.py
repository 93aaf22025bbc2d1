"""How long answers take: from a fact's arrival to the write that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import perf_counter
from typing import Generic, TypeVar

from gatewaycanary.telemetry.metrics import ReactionKind

K = TypeVar("K", bound=Hashable)


class Reactions(Generic[K]):
    """Measure the time from the first unanswered fact about a key to the write that answers it.

    A look takes the facts that came before it; those that come meanwhile are the next one's. A look
    that writes nothing settles its facts: nothing was to be done about them.
    """

    def __init__(
        self,
        observe: Callable[[ReactionKind, float], None],
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._observe = observe
        self._clock = clock
        self._arrived: dict[K, float] = {}
        self._taken: dict[K, float] = {}

    def arrived(self, key: K) -> None:
        """Note that a fact about the key has come in."""
        self._arrived.setdefault(key, self._clock())

    def taken(self, key: K) -> None:
        """Note that a look at the key begins."""
        self._taken.pop(key, None)
        since = self._arrived.pop(key, None)
        if since is not None:
            self._taken[key] = since

    def answered(self, key: K, kind: ReactionKind) -> None:
        """Note that a write about the key has been answered."""
        since = self._taken.pop(key, None)
        if since is not None:
            self._observe(kind, self._clock() - since)

    def settled(self, key: K) -> None:
        """Note that the look has ended; its facts asked for no write."""
        self._taken.pop(key, None)

    def failed(self, key: K) -> None:
        """Note that the look has failed: what it did not answer is for the next one."""
        since = self._taken.pop(key, None)
        if since is not None:
            self._arrived[key] = since
