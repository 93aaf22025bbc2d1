"""Keep kopf running: it dies of one answer that breaks off, and nobody needs to die with it.

All that kopf does here is to put keys on the queue, which our own reflector of GatewayCanaries does
as well: while it is started again nothing is missed. Only what dies again and again ends the
operator, for that is no network's fault.

NB: at its start kopf takes the signals for itself, and at its end leaves handlers that heed
nothing any more; so they are taken back both times.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

MOST: Final = 3
"""How many deaths within `WINDOW` seconds are one too many."""

WINDOW: Final = 60.0
PAUSE: Final = 0.5
"""Seconds from a death to the next start."""

Run = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Run kopf until it ends, setting the event once it is ready."""

_log = logging.getLogger(__name__)


async def keep(run: Run, *, stop: asyncio.Event, on_signals: Callable[[], None]) -> None:
    """Run kopf until it ends well or is told to stop; `on_signals` takes the signals back.

    Raises what it died of where it did so too often.
    """
    clock = asyncio.get_running_loop().time
    deaths: deque[float] = deque(maxlen=MOST)
    while (died := await _life(run, on_signals)) is not None and not stop.is_set():
        deaths.append(clock())
        if len(deaths) == MOST and deaths[-1] - deaths[0] < WINDOW:
            raise died
        _log.warning("kopf ended and is started again: %s", died)
        await asyncio.sleep(PAUSE)


async def _life(run: Run, on_signals: Callable[[], None]) -> BaseException | None:
    """Run kopf once; give what it died of, or None."""
    ready = asyncio.Event()
    shell = asyncio.create_task(run(ready), name="kopf")
    waiting = asyncio.create_task(_after(ready, on_signals), name="kopf-ready")
    try:
        await asyncio.wait({shell})
    finally:
        # NB: both are done, unless this was cancelled itself.
        for task in (waiting, shell):
            task.cancel()
        await asyncio.gather(waiting, shell, return_exceptions=True)
        on_signals()
    return None if shell.cancelled() else shell.exception()


async def _after(ready: asyncio.Event, act: Callable[[], None]) -> None:
    await ready.wait()
    act()
