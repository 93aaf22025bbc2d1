"""Long tasks: their steps, and the results so far. A step counts once, whoever does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from soma.domain.envelopes import TASKS, Envelope
from soma.storage import outbox
from soma.storage.database import Database
from soma.storage.sessions import ContradictionError

State = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands."""

    id: UUID
    steps: Sequence[str]
    results: Sequence[str]
    failed: bool

    @property
    def state(self) -> State:
        """Say where it stands."""
        if len(self.results) == len(self.steps):
            return "done"
        return "failed" if self.failed else "running" if self.results else "waiting"


async def accept(database: Database, *, task: UUID, steps: Sequence[str]) -> bool:
    """Store a task and its outbox row together; give False if it was there before.

    Raises ContradictionError when the id means something else already.
    """
    async with database.transaction() as connection:
        fresh = await connection.fetchval(
            "insert into tasks (id, steps) values ($1, $2) on conflict do nothing returning true",
            task,
            list(steps),
        )
        if fresh:
            await outbox.put(connection, Envelope(id=task, body={}), stream=TASKS)
            return True
        same = await connection.fetchval("select steps = $2 from tasks where id = $1", task, steps)
    if not same:
        raise ContradictionError(f"task {task} is known with other steps")
    return False


async def find(database: Database, task: UUID) -> Task | None:
    """Give a task, or None."""
    async with database.transaction() as connection:
        row = await connection.fetchrow(
            "select id, steps, results, failed_at is not null as failed from tasks where id = $1",
            task,
        )
    return Task(**row) if row else None


async def advance(
    database: Database, *, task: UUID, step: int, result: str, resend: timedelta
) -> bool:
    """Store the result of a step, counted from 0; give False if the step was done before.

    The outbox row is put off, and settled with the last step.
    """
    async with database.transaction() as connection:
        left = await connection.fetchval(
            "update tasks set results = results || $3::text, changed_at = now()"
            " where id = $1 and cardinality(results) = $2 and failed_at is null"
            " returning cardinality(steps) - cardinality(results)",
            task,
            step,
            result,
        )
        if left == 0:
            await outbox.settle(connection, task)
        elif left is not None:
            await outbox.postpone(connection, task, by=resend)
    return left is not None


async def settle(database: Database, task: UUID) -> None:
    """Settle the outbox row of a task that is over."""
    async with database.transaction() as connection:
        await outbox.settle(connection, task)


async def give_up(database: Database, task: UUID) -> None:
    """Mark a task that cannot be finished, and settle its outbox row."""
    async with database.transaction() as connection:
        await connection.execute(
            "update tasks set failed_at = now() where id = $1 and failed_at is null"
            " and cardinality(results) < cardinality(steps)",
            task,
        )
        await outbox.settle(connection, task)
