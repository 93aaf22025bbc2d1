"""Each role put together from its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from soma.domain.envelopes import MESSAGES, TASKS, TOOLS
from soma.memory import server as memory_server
from soma.parts import Parts
from soma.roles import delegation_gateway, gateway, ui
from soma.roles.conversation_worker import Answering
from soma.roles.delegation_worker import Delegated
from soma.roles.outbox_sync import Relay
from soma.roles.tool_executor import Executing
from soma.serving.running import Service, serve, stop_at_signals
from soma.settings import Role, Settings
from soma.storage.database import UNAVAILABLE
from soma.telemetry import Metrics, log_lines


async def run(settings: Settings, role: Role) -> None:
    """Run a role until SIGTERM."""
    log_lines(settings, role=role)
    stop = asyncio.Event()
    stop_at_signals(stop)
    metrics = Metrics(role, version=settings.version)
    async with AsyncExitStack() as opened:
        service = await ROLES[role](Parts(settings, metrics=metrics, opened=opened))
        await serve(settings, role=role, service=service, metrics=metrics, stop=stop)


async def _gateway(parts: Parts) -> Service:
    router = gateway.routes(parts.settings, await parts.database())
    return Service(checks=parts.checks, router=router, away=UNAVAILABLE)


async def _delegation_gateway(parts: Parts) -> Service:
    router = delegation_gateway.routes(parts.settings, await parts.database())
    return Service(checks=parts.checks, router=router, away=UNAVAILABLE)


async def _conversation_worker(parts: Parts) -> Service:
    streams = await parts.streams()
    work = Answering(
        database=await parts.database(),
        streams=streams,
        memory=await parts.memory(),
        tool_timeout_ms=parts.settings.tool_timeout_ms,
        faults=parts.strikes.pass_through,
    )
    consumer = parts.consumer(streams, work, stream=MESSAGES, group="conversation")
    return Service(checks=parts.checks, loops=[consumer.run])


async def _delegation_worker(parts: Parts) -> Service:
    streams = await parts.streams()
    work = Delegated(
        database=await parts.database(),
        streams=streams,
        tool_timeout_ms=parts.settings.tool_timeout_ms,
        pace=parts.settings.task_pace_ms / 1000,
        resend=timedelta(milliseconds=parts.settings.resend_ms),
        faults=parts.strikes.pass_through,
    )
    consumer = parts.consumer(streams, work, stream=TASKS, group="delegation")
    return Service(checks=parts.checks, loops=[consumer.run])


async def _tool_executor(parts: Parts) -> Service:
    streams = await parts.streams()
    work = Executing(
        streams=streams,
        faults=parts.strikes.pass_through,
        count=lambda tool, outcome: parts.metrics.tools.labels(tool, outcome).inc(),
    )
    consumer = parts.consumer(streams, work, stream=TOOLS, group="tools")
    return Service(checks=parts.checks, loops=[consumer.run])


async def _outbox_sync(parts: Parts) -> Service:
    relay = Relay(
        parts.settings,
        database=await parts.database(),
        streams=await parts.streams(),
        metrics=parts.metrics,
        is_ready=parts.is_ready,
    )
    return Service(checks=parts.checks, loops=[relay.run])


async def _memory_service(parts: Parts) -> Service:
    servicer = memory_server.Servicer(
        await parts.database(),
        faults=parts.strikes.pass_through,
        count=lambda method, code: parts.metrics.calls.labels(method, code).inc(),
    )
    settings = parts.settings

    async def healthy() -> bool:
        return settings.fault_health == "ok" and await parts.is_ready()

    async def calls(stop: asyncio.Event) -> None:
        await memory_server.serve(
            servicer,
            address=f"{settings.bind_address}:{settings.grpc_port}",
            is_ready=healthy,
            drain=settings.drain_ms / 1000,
            stop=stop,
        )

    return Service(checks=parts.checks, loops=[calls])


async def _ui(parts: Parts) -> Service:
    return Service(router=ui.routes(await parts.gateway()), checks=parts.checks)


ROLES: Mapping[Role, Callable[[Parts], Awaitable[Service]]] = {
    Role.GATEWAY: _gateway,
    Role.CONVERSATION_WORKER: _conversation_worker,
    Role.TOOL_EXECUTOR: _tool_executor,
    Role.DELEGATION_GATEWAY: _delegation_gateway,
    Role.DELEGATION_WORKER: _delegation_worker,
    Role.MEMORY_SERVICE: _memory_service,
    Role.UI: _ui,
    Role.OUTBOX_SYNC: _outbox_sync,
}
