"""A consumer of a stream: at-least-once, with a limit for what can never be done.

Each lane has one entry in hand. An entry whose effect fails stays pending and is taken over, by
this consumer or another, after `reclaim_ms`; while it is worked on, signs of life keep others off.
After `max_deliveries` it goes to the dead. Where a dependency is away nothing is read until all
answer again, so an outage uses up no deliveries but those in hand.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from soma.domain.envelopes import Envelope, MalformedError, parse
from soma.streams.client import UNAVAILABLE, Entry, GroupGoneError, Seat, Streams

Outcome = Literal["done", "repeated"]
Told = Literal["done", "repeated", "failed", "waiting", "dead"]
READ_MS = 500
PAUSE = 0.5
FORGOTTEN_MS = 3_600_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much at once, how long, how often."""

    lanes: int
    reclaim_ms: int
    max_deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done with an envelope.

    `away` are the errors that say a dependency does not answer; `is_ready` tells whether all do.
    """

    effect: Callable[[Envelope], Awaitable[Outcome]]
    give_up: Callable[[Envelope], Awaitable[None]]
    away: tuple[type[Exception], ...]
    is_ready: Callable[[], Awaitable[bool]]
    tell: Callable[[str, Told, float], None]
    in_hand: Callable[[], AbstractContextManager[None]]


class Consumer:
    """Consume one stream until it is told to stop."""

    def __init__(self, streams: Streams, seat: Seat, *, work: Work, limits: Limits) -> None:
        self._streams = streams
        self._seat = seat
        self._work = work
        self._limits = limits
        self._away: tuple[type[Exception], ...] = (*UNAVAILABLE, *work.away)
        self._look_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Consume; what is in hand at the stop is finished, and the seat given up."""
        await self._until_ready(stop)
        with suppress(GroupGoneError, *UNAVAILABLE):
            await self._streams.forget(self._seat, idle_ms=FORGOTTEN_MS)
        async with asyncio.TaskGroup() as lanes:
            for _ in range(self._limits.lanes):
                lanes.create_task(self._lane(stop))
        with suppress(GroupGoneError, *UNAVAILABLE):
            left = await self._streams.leave(self._seat)
            log.info("left the group" if left else "entries stay pending", extra=self._where())

    async def _lane(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                if entry := await self._next():
                    with self._work.in_hand():
                        await self._handle(entry)
            except GroupGoneError:
                await self._open(stop)
            except self._away as error:
                log.warning("waiting: %s", type(error).__name__, extra=self._where())
                await _pause(stop)
                await self._until_ready(stop)

    async def _open(self, stop: asyncio.Event) -> None:
        try:
            await self._streams.open_group(self._seat)
        except UNAVAILABLE:
            await _pause(stop)

    async def _next(self) -> Entry | None:
        if time.monotonic() >= self._look_at:
            idle = self._limits.reclaim_ms
            if entry := await self._streams.take_over(self._seat, idle_ms=idle):
                return entry
            self._look_at = time.monotonic() + idle / 4_000
        return await self._streams.read(self._seat, wait_ms=min(READ_MS, self._limits.reclaim_ms))

    async def _handle(self, entry: Entry) -> None:
        began = time.monotonic()
        try:
            async with self._signs_of_life(entry):
                told = await self._judged(entry)
        except self._away:
            self._tell("waiting", began)
            raise
        except Exception as error:  # noqa: BLE001 - whatever an entry brings about, the lane goes on
            self._tell("failed", began)
            log.warning("failed: %s", error, extra=self._where(entry))
            return
        if told != "dead":
            await self._streams.finish(self._seat, entry)
        self._tell(told, began)

    async def _judged(self, entry: Entry) -> Told:
        if entry.deliveries <= self._limits.max_deliveries:
            return await self._work.effect(parse(entry.fields))
        with suppress(MalformedError):
            await self._work.give_up(parse(entry.fields))
        reason = f"not done in {self._limits.max_deliveries} deliveries"
        await self._streams.bury(self._seat, entry, reason=reason)
        log.error("given up", extra=self._where(entry))
        return "dead"

    @asynccontextmanager
    async def _signs_of_life(self, entry: Entry) -> AsyncIterator[None]:
        # Told to end rather than cancelled: a command that is broken off costs its connection.
        over = asyncio.Event()
        signs = asyncio.create_task(self._give_signs(entry, over))
        try:
            yield
        finally:
            over.set()
            await signs

    async def _give_signs(self, entry: Entry, over: asyncio.Event) -> None:
        while not await _is_set(over, within=self._limits.reclaim_ms / 4_000):
            with suppress(GroupGoneError, *UNAVAILABLE):
                await self._streams.give_sign(self._seat, entry)

    async def _until_ready(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and not await self._work.is_ready():
            await _pause(stop)

    def _tell(self, told: Told, began: float) -> None:
        self._work.tell(self._seat.stream, told, time.monotonic() - began)

    def _where(self, entry: Entry | None = None) -> dict[str, object]:
        where: dict[str, object] = {"stream": self._seat.stream, "consumer": self._seat.consumer}
        if entry:
            where |= {"entry": entry.id, "deliveries": entry.deliveries}
        return where


async def _pause(stop: asyncio.Event) -> None:
    await _is_set(stop, within=PAUSE)


async def _is_set(event: asyncio.Event, *, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
