"""outbox-sync: relays outbox rows to the streams, again and again until they are settled."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from soma.domain.faults import FaultError
from soma.serving.striking import Strikes
from soma.settings import Settings
from soma.storage import outbox
from soma.storage.database import UNAVAILABLE as DATABASE_AWAY
from soma.storage.database import Database
from soma.streams.client import UNAVAILABLE as STREAMS_AWAY
from soma.streams.client import Streams
from soma.telemetry import Metrics

BATCH = 100
PAUSE = 0.5
LOOK_ROUND = 2.0
PRUNED = 1_000

log = logging.getLogger(__name__)


class Relay:
    """Relay until the stop. Several may run: each row is locked by the one that sends it."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        streams: Streams,
        metrics: Metrics,
        is_ready: Callable[[], Awaitable[bool]],
    ) -> None:
        self._poll = settings.poll_ms / 1000
        self._resend = timedelta(milliseconds=settings.resend_ms)
        self._keep = timedelta(hours=settings.keep_hours)
        self._strikes = Strikes(settings.faults())
        self._database = database
        self._streams = streams
        self._metrics = metrics
        self._is_ready = is_ready
        self._look_round_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look for rows, at once again after a full batch."""
        while not stop.is_set() and not await self._is_ready():
            await _pause(stop, PAUSE)
        while not stop.is_set():
            try:
                pause = 0.0 if await self._pass() == BATCH else self._poll
            except (FaultError, *DATABASE_AWAY, *STREAMS_AWAY) as error:
                log.warning("waiting: %s", type(error).__name__)
                pause = PAUSE
            await _pause(stop, pause)

    async def _pass(self) -> int:
        if time.monotonic() >= self._look_round_at:
            self._metrics.unsettled.set(await outbox.unsettled(self._database))
            await outbox.prune(self._database, settled=self._keep, limit=PRUNED)
            self._look_round_at = time.monotonic() + LOOK_ROUND
        await self._strikes.pass_through()
        first, again = await outbox.relay(
            self._database, self._streams.send, limit=BATCH, resend=self._resend
        )
        self._metrics.relayed.labels("first").inc(first)
        self._metrics.relayed.labels("again").inc(again)
        return first + again


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
