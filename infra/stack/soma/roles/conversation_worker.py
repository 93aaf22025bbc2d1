"""conversation-worker: answers messages, with a tool and with what was said before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid5

from soma.domain.answers import composed, wanted
from soma.domain.envelopes import Envelope
from soma.memory.client import Memory
from soma.storage import sessions
from soma.storage.database import Database
from soma.streams.calls import call
from soma.streams.client import Streams
from soma.streams.consumers import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """All that an answer needs."""

    database: Database
    streams: Streams
    memory: Memory
    tool_timeout_ms: int
    faults: Callable[[], Awaitable[None]]

    async def effect(self, envelope: Envelope) -> Outcome:
        """Answer a message, once however often it is delivered."""
        session, text = envelope.text("session_id"), envelope.text("text")
        if await sessions.is_answered(self.database, envelope.id):
            return "repeated"
        await self.faults()
        await self.memory.remember(session=session, message=envelope.id, text=text)
        kept = await self.memory.recall(session=session, before=envelope.id)
        result = None
        if tool := wanted(text):
            result = await call(
                self.streams, tool, request=uuid5(envelope.id, "tool"), wait_ms=self.tool_timeout_ms
            )
        answer = composed(text, result=result, kept=kept)
        fresh = await sessions.answer(
            self.database, session=session, message=envelope.id, text=answer
        )
        return "done" if fresh else "repeated"

    async def give_up(self, envelope: Envelope) -> None:
        """Show that a message stays without an answer."""
        await sessions.give_up(self.database, envelope.id)
