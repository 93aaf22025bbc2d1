"""Keep the operator's tasks alive, or end it: nobody else sees a task die.

A task that ends, however it ends, takes the others with it; the process exits and is started anew.
That is safer than going on without a reflector or a worker that nobody misses.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class TaskEndedError(Exception):
    """Raised when a task that should run for ever came to its end."""


class Supervisor:
    """Run tasks until the first of them ends or the supervisor is cancelled."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Start a task that should run for ever."""
        self._tasks.append(asyncio.create_task(work, name=name))

    async def watch(self) -> None:
        """Wait for the first task to end.

        Raises:
            TaskEndedError: a task ended; its own error is the cause.
        """
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        # NB: of several that ended at once, the one that failed tells why.
        ended = next((task for task in done if _failure(task) is not None), next(iter(done)))
        cause = _failure(ended)
        message = f"task {ended.get_name()} ended"
        _log.error("%s: %r", message, cause)
        raise TaskEndedError(message) from cause

    async def stop(self) -> None:
        """End all tasks, each before those that were started before it and that it may need.

        So no worker writes any more when the lease, started before the workers, is freed.
        """
        while self._tasks:
            task = self._tasks.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
