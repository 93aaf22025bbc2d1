"""Sessions and their messages. Each effect has a key of its own, so a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from soma.domain.envelopes import MESSAGES, Envelope
from soma.storage import outbox
from soma.storage.database import Database

Said = Literal["answered", "pending", "failed"]

_MESSAGES = """
    select m.id, m.role, m.text, m.reply_to, m.created_at::text as at,
        case when answer.id is not null then 'answered'
             when m.failed_at is not null then 'failed' else 'pending' end as state
    from messages m left join messages answer on answer.reply_to = m.id
    where m.session_id = $1 order by m.position desc limit $2
"""
SHOWN = 500


class ContradictionError(Exception):
    """Raised when an id is known with another text or in another session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one side said; `state` is that of a user's message, None for an answer."""

    id: UUID
    role: Literal["user", "assistant"]
    text: str
    at: str
    reply_to: UUID | None
    state: Said | None


async def accept(database: Database, *, session: str, message: UUID, text: str) -> bool:
    """Store a message and its outbox row together; give False if it was there before.

    Raises ContradictionError when the id means something else already.
    """
    async with database.transaction() as connection:
        await connection.execute(
            "insert into sessions (id) values ($1) on conflict do nothing", session
        )
        fresh = await connection.fetchval(
            "insert into messages (id, session_id, role, text) values ($1, $2, 'user', $3)"
            " on conflict (id) do nothing returning true",
            message,
            session,
            text,
        )
        if fresh:
            body = {"session_id": session, "text": text}
            await outbox.put(connection, Envelope(id=message, body=body), stream=MESSAGES)
            return True
        same = await connection.fetchval(
            "select session_id = $2 and role = 'user' and text = $3 from messages where id = $1",
            message,
            session,
            text,
        )
    if not same:
        raise ContradictionError(f"message {message} is known with another text or session")
    return False


async def is_answered(database: Database, message: UUID) -> bool:
    """Tell whether a message has its answer."""
    async with database.transaction() as connection:
        found = await connection.fetchval("select 1 from messages where reply_to = $1", message)
        if found:
            await outbox.settle(connection, message)
        return found is not None


async def answer(database: Database, *, session: str, message: UUID, text: str) -> bool:
    """Store the answer and settle the outbox row together; give False if one was there before."""
    async with database.transaction() as connection:
        fresh = await connection.fetchval(
            "insert into messages (id, session_id, role, text, reply_to)"
            " values ($1, $2, 'assistant', $3, $4)"
            " on conflict (reply_to) do nothing returning true",
            uuid5(message, "answer"),
            session,
            text,
            message,
        )
        await outbox.settle(connection, message)
    return bool(fresh)


async def give_up(database: Database, message: UUID) -> None:
    """Mark a message that cannot be answered, and settle its outbox row."""
    async with database.transaction() as connection:
        await connection.execute(
            "update messages set failed_at = now() where id = $1 and failed_at is null", message
        )
        await outbox.settle(connection, message)


async def conversation(database: Database, session: str) -> Sequence[Message] | None:
    """Give the newest messages of a session, the oldest first; None if there is no such session."""
    async with database.transaction() as connection:
        if not await connection.fetchval("select true from sessions where id = $1", session):
            return None
        rows = await connection.fetch(_MESSAGES, session, SHOWN)
    return [
        Message(
            id=row["id"],
            role=row["role"],
            text=row["text"],
            at=row["at"],
            reply_to=row["reply_to"],
            state=row["state"] if row["role"] == "user" else None,
        )
        for row in reversed(rows)
    ]
