"""kopf dies, and is started again; only what dies again and again ends the operator."""

from __future__ import annotations

import asyncio

import pytest

from gatewaycanary.handlers.shells import MOST, PAUSE, WINDOW, keep
from unit.kube.virtual_time import now, virtual


class Kopf:
    """Live for so many seconds each time, and die of an error; at last live on."""

    def __init__(self, *lives: float) -> None:
        self.lives = list(lives)
        self.starts: list[float] = []
        self.signals: list[float] = []
        self.stop = asyncio.Event()
        self.cancelled = False

    async def run(self, ready: asyncio.Event) -> None:
        """Live once."""
        self.starts.append(now())
        if self.lives:
            await asyncio.sleep(self.lives.pop(0))
            raise ZeroDivisionError(f"at {now()}")
        ready.set()
        try:
            await self.stop.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def keep(self) -> None:
        """Be kept."""
        await keep(self.run, stop=self.stop, on_signals=lambda: self.signals.append(now()))


@virtual
async def test_a_death_is_followed_by_a_new_life() -> None:
    """Signals are heeded after the death, and after the new start has taken them away."""
    kopf = Kopf(10.0)
    kept = asyncio.create_task(kopf.keep())
    await asyncio.sleep(100)
    assert kopf.starts == [0.0, 10.0 + PAUSE]
    assert kopf.signals == [10.0, 10.0 + PAUSE]
    kopf.stop.set()
    await kept


@virtual
async def test_rare_deaths_end_nothing() -> None:
    """However many they are in a long life."""
    kopf = Kopf(*[WINDOW] * 20)
    kept = asyncio.create_task(kopf.keep())
    await asyncio.sleep(30 * WINDOW)
    assert len(kopf.starts) == 21
    kopf.stop.set()
    await kept


@virtual
async def test_who_dies_again_and_again_is_given_up() -> None:
    """Its own error is told."""
    kopf = Kopf(*[1.0] * 20)
    with pytest.raises(ZeroDivisionError):
        await kopf.keep()
    assert len(kopf.starts) == MOST


@virtual
async def test_a_death_while_stopping_is_the_end() -> None:
    """What was told to stop is not started again."""
    kopf = Kopf(10.0)
    kopf.stop.set()
    await kopf.keep()
    assert kopf.starts == [0.0]


@virtual
async def test_cancelled() -> None:
    """kopf ends with who keeps it."""
    kopf = Kopf()
    kept = asyncio.create_task(kopf.keep())
    await asyncio.sleep(1)
    kept.cancel()
    with pytest.raises(asyncio.CancelledError):
        await kept
    assert kopf.cancelled
