"""delegation-worker: does a task's steps one after the other, from where the last one stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from soma.domain.answers import composed, wanted
from soma.domain.envelopes import Envelope, MalformedError
from soma.storage import tasks
from soma.storage.database import Database
from soma.streams.calls import call
from soma.streams.client import Streams
from soma.streams.consumers import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """All that a task needs."""

    database: Database
    streams: Streams
    tool_timeout_ms: int
    pace: float
    resend: timedelta
    faults: Callable[[], Awaitable[None]]

    async def effect(self, envelope: Envelope) -> Outcome:
        """Finish a task; each step counts once however often the task is delivered."""
        task = await tasks.find(self.database, envelope.id)
        if task is None:
            raise MalformedError(f"there is no task {envelope.id}")
        if task.state in ("done", "failed"):
            await tasks.settle(self.database, task.id)
            return "repeated"
        for number in range(len(task.results), len(task.steps)):
            await self.faults()
            result = await self._step(task.id, number, task.steps[number])
            if not await tasks.advance(
                self.database, task=task.id, step=number, result=result, resend=self.resend
            ):
                return "repeated"
        return "done"

    async def give_up(self, envelope: Envelope) -> None:
        """Show that a task stays unfinished."""
        await tasks.give_up(self.database, envelope.id)

    async def _step(self, task: UUID, number: int, text: str) -> str:
        paced = asyncio.create_task(asyncio.sleep(self.pace))
        result = None
        if tool := wanted(text):
            result = await call(
                self.streams,
                tool,
                request=uuid5(task, f"step {number}"),
                wait_ms=self.tool_timeout_ms,
            )
        await paced
        return composed(text, result=result, kept=())
