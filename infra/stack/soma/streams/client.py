"""Redis Streams, as far as the flow needs them, each wait bounded.

A stream has one group. What is done is acknowledged and deleted, so a stream's length is the work
that is left. NB: all of it may be lost with Redis; the outbox sends again what has no effect yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from soma.domain.envelopes import DEAD, Envelope

UNAVAILABLE = (
    OSError,
    RedisConnectionError,
    RedisTimeoutError,
    ReadOnlyError,
    OutOfMemoryError,
)
"""What is raised while Redis is away, or takes nothing."""

KEPT_DEAD = 1_000
REPLY_SECONDS = 600


class GroupGoneError(Exception):
    """Raised when the stream or its group is not there (yet, or any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A consumer's place: whose entries of which stream."""

    stream: str
    group: str
    consumer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry in hand, and how often it was delivered."""

    id: str
    fields: Mapping[str, str]
    deliveries: int


class Streams:
    """One Redis."""

    def __init__(self, url: str, *, seconds: float = 5.0) -> None:
        # The library's types join both of its clients, so nothing would check here.
        self._redis: Any = Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 1),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._redis.aclose()

    async def ping(self) -> None:
        """Ask whether it answers."""
        await self._redis.ping()

    async def send(self, envelopes: Sequence[tuple[str, Envelope]]) -> None:
        """Add envelopes to streams, all in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for stream, envelope in envelopes:
            pipeline.xadd(stream, envelope.fields())
        await pipeline.execute()

    async def open_group(self, seat: Seat) -> None:
        """Make the stream and its group unless they are there; all entries are for the group."""
        try:
            await self._redis.xgroup_create(seat.stream, seat.group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def read(self, seat: Seat, *, wait_ms: int) -> Entry | None:
        """Take a new entry, or None after a while."""
        found = await _grouped(
            self._redis.xreadgroup(
                seat.group, seat.consumer, {seat.stream: ">"}, count=1, block=wait_ms
            )
        )
        if not found:
            return None
        [(_stream, [(identity, fields)])] = found
        return Entry(id=identity, fields=fields, deliveries=1)

    async def take_over(self, seat: Seat, *, idle_ms: int) -> Entry | None:
        """Take an entry of which its consumer gave no sign of life for so long."""
        found = await _grouped(
            self._redis.xautoclaim(seat.stream, seat.group, seat.consumer, idle_ms, count=1)
        )
        if not found[1]:
            return None
        [(identity, fields)] = found[1]
        counted = await _grouped(
            self._redis.xpending_range(seat.stream, seat.group, min=identity, max=identity, count=1)
        )
        deliveries = int(counted[0]["times_delivered"]) if counted else 1
        return Entry(id=identity, fields=fields, deliveries=deliveries)

    async def give_sign(self, seat: Seat, entry: Entry) -> None:
        """Tell that an entry is still being worked on."""
        await _grouped(
            self._redis.xclaim(seat.stream, seat.group, seat.consumer, 0, [entry.id], justid=True)
        )

    async def finish(self, seat: Seat, entry: Entry) -> None:
        """Acknowledge an entry and delete it."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xack(seat.stream, seat.group, entry.id)
        pipeline.xdel(seat.stream, entry.id)
        await pipeline.execute()

    async def bury(self, seat: Seat, entry: Entry, *, reason: str) -> None:
        """Move an entry to the dead, of which the newest are kept."""
        dead = {
            "stream": seat.stream,
            "entry": entry.id,
            "deliveries": entry.deliveries,
            "reason": reason,
            "fields": json.dumps(dict(entry.fields)),
        }
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xadd(DEAD, dead, maxlen=KEPT_DEAD)
        pipeline.xack(seat.stream, seat.group, entry.id)
        pipeline.xdel(seat.stream, entry.id)
        await pipeline.execute()

    async def leave(self, seat: Seat) -> bool:
        """Leave the group unless entries are in hand, which would be lost with the seat."""
        pending = await _grouped(
            self._redis.xpending_range(
                seat.stream, seat.group, min="-", max="+", count=1, consumername=seat.consumer
            )
        )
        if not pending:
            await self._remove(seat, seat.consumer)
        return not pending

    async def forget(self, seat: Seat, *, idle_ms: int) -> None:
        """Take the seats of consumers away that have nothing in hand and died long ago."""
        for one in await _grouped(self._redis.xinfo_consumers(seat.stream, seat.group)):
            if one["pending"] == 0 and one["idle"] > idle_ms:
                await self._remove(seat, one["name"])

    async def _remove(self, seat: Seat, consumer: str) -> None:
        await _grouped(self._redis.xgroup_delconsumer(seat.stream, seat.group, consumer))

    async def reply(self, key: str, fields: Mapping[str, str]) -> None:
        """Leave a reply for whoever waits; it stays for a repeat, and goes by itself."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xadd(key, dict(fields), maxlen=1, approximate=False)
        pipeline.expire(key, REPLY_SECONDS)
        await pipeline.execute()

    async def has_reply(self, key: str) -> bool:
        """Tell whether a reply is there."""
        return bool(await self._redis.exists(key))

    async def await_reply(self, key: str, *, wait_ms: int) -> Mapping[str, str] | None:
        """Give a reply, or None after a while; it is not used up."""
        found = await self._redis.xread({key: "0"}, count=1, block=wait_ms)
        if not found:
            return None
        [(_key, [(_identity, fields)])] = found
        return {str(name): str(value) for name, value in fields.items()}


async def _grouped(asked: Any) -> Any:
    try:
        return await asked
    except ResponseError as error:
        if str(error).startswith(("NOGROUP", "UNBLOCKED", "no such key")):
            raise GroupGoneError(str(error)) from error
        raise
