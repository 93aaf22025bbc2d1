"""The outbox: rows written with what they tell of, sent until their effect settles them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from soma.domain.envelopes import Envelope
from soma.storage.database import Connection, Database

Send = Callable[[Sequence[tuple[str, Envelope]]], Awaitable[None]]

_DUE = """
    select id, envelope_id, stream, body, sends from outbox
    where settled_at is null and due_at <= now()
    order by due_at, id limit $1 for update skip locked
"""
# Rarer each time: while no worker runs, a stream is not to fill with repeats.
_SENT = """
    update outbox set sends = sends + 1, due_at = now() + $2::interval * power(2, least(sends, 4))
    where id = any($1)
"""
_SETTLED = "update outbox set settled_at = now() where envelope_id = $1 and settled_at is null"
_PRUNED = """
    delete from outbox where id in (
        select id from outbox where settled_at < now() - $1::interval
        order by id limit $2 for update skip locked)
"""
_POSTPONED = "update outbox set due_at = now() + $2 where envelope_id = $1 and settled_at is null"


async def put(connection: Connection, envelope: Envelope, *, stream: str) -> None:
    """Write a row in the caller's transaction."""
    await connection.execute(
        "insert into outbox (envelope_id, stream, body) values ($1, $2, $3::jsonb)",
        envelope.id,
        stream,
        json.dumps(envelope.body),
    )


async def settle(connection: Connection, envelope: UUID) -> None:
    """Mark a row whose effect is in the caller's transaction; it is never sent again."""
    await connection.execute(_SETTLED, envelope)


async def postpone(connection: Connection, envelope: UUID, *, by: timedelta) -> None:
    """Put off sending a row again, for its effect is on the way."""
    await connection.execute(_POSTPONED, envelope, by)


async def relay(
    database: Database, send: Send, *, limit: int, resend: timedelta
) -> tuple[int, int]:
    """Send what is due and mark it; give how many for the first time, and how many again.

    A crash between the two sends the rows once more: whoever receives them has to know them by
    the envelope's id. Relays side by side take different rows.
    """
    async with database.transaction() as connection:
        rows = await connection.fetch(_DUE, limit)
        if not rows:
            return 0, 0
        await send(
            [
                (row["stream"], Envelope(id=row["envelope_id"], body=json.loads(row["body"])))
                for row in rows
            ]
        )
        await connection.execute(_SENT, [row["id"] for row in rows], resend)
    again = sum(row["sends"] > 0 for row in rows)
    return len(rows) - again, again


async def prune(database: Database, *, settled: timedelta, limit: int) -> None:
    """Delete rows that have been settled for so long."""
    async with database.transaction() as connection:
        await connection.execute(_PRUNED, settled, limit)


async def unsettled(database: Database) -> int:
    """Count the rows whose effect is still to come."""
    async with database.transaction() as connection:
        return int(
            await connection.fetchval("select count(*) from outbox where settled_at is null")
        )
