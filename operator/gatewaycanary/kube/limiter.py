"""How fast requests may go out: a token bucket with two classes of waiters.

A request that finds a token and nobody of its own class or above waiting goes at once. Otherwise
it waits in the order of arrival, urgent ones (reverts, the lease) before all normal ones. A waiter
that is cancelled after it was given its token hands it on. Time is the running loop's; an idle
limiter has no timer.
"""

import asyncio
from collections import deque

Waiter = asyncio.Future[None]


class Limiter:
    """Let `qps` requests a second pass, and up to `burst` at once after a rest."""

    def __init__(self, *, qps: float, burst: int) -> None:
        self._qps = qps
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled: float | None = None
        self._urgent: deque[Waiter] = deque()
        self._normal: deque[Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a token."""
        return sum(not waiter.done() for waiter in (*self._urgent, *self._normal))

    async def acquire(self, *, urgent: bool = False) -> None:
        """Return when a request may go out; urgent ones overtake the others."""
        self._fill()
        if self._tokens >= 1.0 and not self._urgent and (urgent or not self._normal):
            self._tokens -= 1.0
            return
        waiter: Waiter = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._normal).append(waiter)
        self._grant()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._tokens += 1.0
                self._grant()
            raise

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._qps)
        self._filled = now

    def _grant(self) -> None:
        self._fill()
        while (waiters := self._next()) and self._tokens >= 1.0:
            self._tokens -= 1.0
            waiters.popleft().set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if waiters:
            # NB: a hair more than the sum says, or rounding would wake us just too early for ever.
            wait = (1.0 - self._tokens) / self._qps + 1e-6
            self._timer = asyncio.get_running_loop().call_later(wait, self._grant)

    def _next(self) -> deque[Waiter] | None:
        for waiters in (self._urgent, self._normal):
            while waiters and waiters[0].done():
                waiters.popleft()
            if waiters:
                return waiters
        return None
