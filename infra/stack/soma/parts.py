"""What roles are made of: connections, each with its check, closed in the end."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack
from typing import Protocol

import httpx

from soma.domain.envelopes import Envelope
from soma.memory.client import Memory, MemoryAwayError
from soma.roles import ui
from soma.serving.checks import Check, problems
from soma.serving.striking import Strikes
from soma.settings import Settings
from soma.storage.database import UNAVAILABLE, Database
from soma.storage.migrations import NEWEST
from soma.streams.client import Seat, Streams
from soma.streams.consumers import Consumer, Limits, Outcome, Work
from soma.telemetry import Metrics


class SchemaError(Exception):
    """Raised when the database's schema is older than this code."""


class Effects(Protocol):
    """What a worker does with an envelope."""

    async def effect(self, envelope: Envelope) -> Outcome:
        """Do it, once however often it is delivered."""

    async def give_up(self, envelope: Envelope) -> None:
        """Tell that it stays undone."""


class Parts:
    """Opens what a role asks for, and notes how each is checked."""

    def __init__(self, settings: Settings, *, metrics: Metrics, opened: AsyncExitStack) -> None:
        self.settings = settings
        self.metrics = metrics
        self.checks: dict[str, Check] = {}
        self.strikes = Strikes(settings.faults())
        self._opened = opened

    async def database(self) -> Database:
        """Open the pool; it is ready once the schema is there."""
        url = self.settings.database_url.get_secret_value()
        size = self.settings.concurrency + 4
        database = await self._opened.enter_async_context(Database(url, size=size))

        async def check() -> None:
            if await database.schema_version() < NEWEST:
                raise SchemaError

        self.checks["database"] = check
        return database

    async def streams(self) -> Streams:
        """Open Redis."""
        url = self.settings.redis_url.get_secret_value()
        streams = await self._opened.enter_async_context(Streams(url))
        self.checks["redis"] = streams.ping
        return streams

    async def memory(self) -> Memory:
        """Open the connection to memory-service."""
        memory = await self._opened.enter_async_context(Memory(self.settings.memory_address))
        self.checks["memory"] = memory.check
        return memory

    async def gateway(self) -> httpx.AsyncClient:
        """Open a client of the gateway."""
        client = ui.connected(self.settings.gateway_url)
        await self._opened.enter_async_context(client)

        async def check() -> None:
            (await client.get("/v1/ready")).raise_for_status()

        self.checks["gateway"] = check
        return client

    async def is_ready(self) -> bool:
        """Tell whether all dependencies answer."""
        return not await problems(self.checks)

    def consumer(self, streams: Streams, effects: Effects, *, stream: str, group: str) -> Consumer:
        """Make a consumer; its name is this process's own."""
        settings = self.settings
        return Consumer(
            streams,
            Seat(stream=stream, group=group, consumer=f"{socket.gethostname()}-{os.getpid()}"),
            work=Work(
                effect=effects.effect,
                give_up=effects.give_up,
                away=(*UNAVAILABLE, MemoryAwayError),
                is_ready=self.is_ready,
                tell=self.metrics.tell_entry,
                in_hand=self.metrics.in_hand.track_inprogress,
            ),
            limits=Limits(
                lanes=settings.concurrency,
                reclaim_ms=settings.reclaim_ms,
                max_deliveries=settings.max_deliveries,
            ),
        )
