"""What memory-service keeps: the texts of a session's messages, each once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from soma.storage.database import Database

_RECALLED = """
    select message_id, text from memories
    where session_id = $1 and position < coalesce(
        (select position from memories where session_id = $1 and message_id = $2),
        9223372036854775807)
    order by position desc limit $3
"""


async def remember(database: Database, *, session: str, message: UUID, text: str) -> bool:
    """Keep a text; give False if it was kept before."""
    async with database.transaction() as connection:
        fresh = await connection.fetchval(
            "insert into memories (session_id, message_id, text) values ($1, $2, $3)"
            " on conflict do nothing returning true",
            session,
            message,
            text,
        )
    return bool(fresh)


async def recall(
    database: Database, *, session: str, before: UUID, limit: int
) -> Sequence[tuple[UUID, str]]:
    """Give the newest texts that were kept before a message, the oldest first."""
    async with database.transaction() as connection:
        rows = await connection.fetch(_RECALLED, session, before, limit)
    return [(row["message_id"], row["text"]) for row in reversed(rows)]
