"""A process from its start to SIGTERM.

At the stop readiness goes first, then requests are still taken for `drain_ms`, as endpoints lag
behind; loops finish what they have in hand; last the server ends, after the requests that it has.
A loop that fails ends the process: nothing runs half.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import APIRouter, FastAPI

from soma.serving import apps
from soma.serving.checks import Check
from soma.settings import HTTP_PORTS, Role, Settings
from soma.telemetry import Metrics

Loop = Callable[[asyncio.Event], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a role consists of."""

    checks: Mapping[str, Check]
    router: APIRouter | None = None
    loops: Sequence[Loop] = ()
    away: tuple[type[Exception], ...] = field(default=())


class _Server(uvicorn.Server):
    """Leaves signals to the process, which has more to end than this."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    settings: Settings, *, role: Role, service: Service, metrics: Metrics, stop: asyncio.Event
) -> None:
    """Serve until the stop."""
    app = apps.create(
        settings,
        role=role,
        metrics=metrics,
        checks=service.checks,
        stop=stop,
        router=service.router,
    )
    apps.unavailable(app, *service.away)
    server = _Server(_configured(settings, app, port=settings.port(role)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        loops = [tasks.create_task(_lasting(loop, stop)) for loop in service.loops]
        await stop.wait()
        log.info("stopping")
        if role in HTTP_PORTS:
            await asyncio.sleep(settings.drain_ms / 1000)
        await _ended(loops, seconds=settings.shutdown_ms / 1000)
        server.should_exit = True
    log.info("stopped")


def stop_at_signals(stop: asyncio.Event) -> None:
    """Set the event at SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _lasting(loop: Loop, stop: asyncio.Event) -> None:
    await loop(stop)
    if not stop.is_set():
        raise RuntimeError("a loop ended before the stop")


async def _ended(loops: Sequence[asyncio.Task[None]], *, seconds: float) -> None:
    if not loops:
        return
    _done, late = await asyncio.wait(loops, timeout=seconds)
    for task in late:
        log.warning("not finished in time; left to others")
        task.cancel()


def _configured(settings: Settings, app: FastAPI, *, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.bind_address,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, settings.shutdown_ms // 1000),
    )
