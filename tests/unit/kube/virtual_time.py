"""An event loop whose time passes only while nothing can run: hours of waiting cost no wait.

It serves code that waits on the loop's own clock. Real sockets do not work on it: time would run
away while their bytes are under way.
"""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

P = ParamSpec("P")


class StuckError(Exception):
    """Raised when everything waits and no timer will ever wake anything."""


class _LeapingSelector(selectors.SelectSelector):
    """Pass the time that a caller wants to wait at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise StuckError
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Run tasks and timers in virtual time, from 0."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._leaping.now


def virtual(test: Callable[P, Awaitable[Any]]) -> Callable[P, None]:
    """Make a test that runs in virtual time of an async test."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(main())

    return run


def now() -> float:
    """Return the running loop's time."""
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Let all that can run now run, without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)
