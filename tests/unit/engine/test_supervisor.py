"""No task ends unseen, and none outlives the others."""

from __future__ import annotations

import asyncio

import pytest

from gatewaycanary.engine.supervisor import Supervisor, TaskEndedError
from unit.kube.virtual_time import settle, virtual


async def forever() -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def fail() -> None:
    """End badly."""
    await asyncio.sleep(1)
    raise ZeroDivisionError("oops")


async def end() -> None:
    """End well, which is just as bad."""
    await asyncio.sleep(1)


@virtual
async def test_a_task_that_fails_ends_the_watch() -> None:
    """Its name is told, and its own error is the cause."""
    supervisor = Supervisor()
    supervisor.start("steady", forever())
    supervisor.start("weak", fail())
    with pytest.raises(TaskEndedError, match="task weak ended") as ended:
        await supervisor.watch()
    assert isinstance(ended.value.__cause__, ZeroDivisionError)
    await supervisor.stop()


@virtual
async def test_a_task_that_just_ends_ends_the_watch() -> None:
    """What should run for ever and does not is missed, though nothing was raised."""
    supervisor = Supervisor()
    supervisor.start("steady", forever())
    supervisor.start("short", end())
    with pytest.raises(TaskEndedError, match="task short ended") as ended:
        await supervisor.watch()
    assert ended.value.__cause__ is None
    await supervisor.stop()


@virtual
async def test_a_task_that_somebody_cancels_ends_the_watch() -> None:
    """kopf cancels what it takes for its own; that must not go unseen either."""
    supervisor = Supervisor()
    supervisor.start("victim", forever())
    supervisor.start("steady", forever())
    watching = asyncio.create_task(supervisor.watch())
    await settle()
    victim = next(one for one in asyncio.all_tasks() if one.get_name() == "victim")
    victim.cancel()
    with pytest.raises(TaskEndedError, match="victim"):
        await watching
    await supervisor.stop()


@virtual
async def test_the_one_that_failed_is_told_before_those_that_ended() -> None:
    """Of several that end at once, the error is what somebody must know."""
    for _ in range(10):
        supervisor = Supervisor()
        for name in ("a", "b", "c"):
            supervisor.start(name, end())
        supervisor.start("weak", fail())
        for name in ("x", "y", "z"):
            supervisor.start(name, end())
        with pytest.raises(TaskEndedError, match="task weak ended"):
            await supervisor.watch()
        await supervisor.stop()


@virtual
async def test_stop_waits_for_farewells() -> None:
    """A task that frees something on its way out is given the time for it."""
    freed = asyncio.Event()

    async def hold() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(1)
            freed.set()

    supervisor = Supervisor()
    supervisor.start("holder", hold())
    await settle()
    await supervisor.stop()
    assert freed.is_set()
    await supervisor.stop()


@virtual
async def test_who_started_last_ends_first() -> None:
    """What a task leans on is there until the task has ended: a lease outlives the workers."""
    ended: list[str] = []

    async def lean(name: str) -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(1)
            ended.append(name)

    supervisor = Supervisor()
    for name in ("reflector", "lease", "worker"):
        supervisor.start(name, lean(name))
    await settle()
    await supervisor.stop()
    assert ended == ["worker", "lease", "reflector"]
