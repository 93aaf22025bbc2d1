"""memory-service's gRPC side: the calls, the health service, reflection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from soma.domain.faults import FaultError
from soma.memory.client import SERVICE
from soma.memory.v1 import memory_pb2, memory_pb2_grpc
from soma.storage import memories
from soma.storage.database import UNAVAILABLE, Database

Answer = TypeVar("Answer")
Context = grpc.aio.ServicerContext[Any, Any]
RECALLED = 20
MOST = 200
GRACE = 5.0
BEAT = 0.5


class Servicer:
    """The calls of the proto's service."""

    def __init__(
        self,
        database: Database,
        *,
        faults: Callable[[], Awaitable[None]],
        count: Callable[[str, str], None],
    ) -> None:
        self._database = database
        self._faults = faults
        self._count = count

    async def Remember(  # noqa: N802 - the name is the proto's
        self, request: memory_pb2.RememberRequest, context: Context
    ) -> memory_pb2.RememberResponse:
        """Keep a text."""
        message = await _identity(request.message_id, context)
        fresh = await self._told(
            "Remember",
            context,
            memories.remember(
                self._database, session=request.session_id, message=message, text=request.text
            ),
        )
        return memory_pb2.RememberResponse(fresh=fresh)

    async def Recall(  # noqa: N802 - the name is the proto's
        self, request: memory_pb2.RecallRequest, context: Context
    ) -> memory_pb2.RecallResponse:
        """Give what was kept."""
        before = await _identity(request.before_message_id, context)
        limit = min(request.limit or RECALLED, MOST)
        found = await self._told(
            "Recall",
            context,
            memories.recall(self._database, session=request.session_id, before=before, limit=limit),
        )
        kept = [memory_pb2.Kept(message_id=str(key), text=text) for key, text in found]
        return memory_pb2.RecallResponse(kept=kept)

    async def _told(self, method: str, context: Context, effect: Awaitable[Answer]) -> Answer:
        code = grpc.StatusCode.OK
        try:
            await self._faults()
            return await effect
        except (FaultError, *UNAVAILABLE) as error:
            code = grpc.StatusCode.UNAVAILABLE
            await context.abort(code, type(error).__name__)
        finally:
            self._count(method, code.name)
        raise AssertionError("an aborted call goes no further")


async def _identity(text: str, context: Context) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the message's id is no UUID")
    raise AssertionError("an aborted call goes no further")


async def serve(
    servicer: Servicer,
    *,
    address: str,
    is_ready: Callable[[], Awaitable[bool]],
    drain: float,
    stop: asyncio.Event,
) -> None:
    """Serve until the stop; the health service follows readiness, and goes first."""
    server = grpc.aio.server()
    state = health.aio.HealthServicer()
    memory_pb2_grpc.add_MemoryServicer_to_server(servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    reflection.enable_server_reflection(
        (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    server.add_insecure_port(address)
    await _tell(state, serving=False)
    await server.start()
    while not stop.is_set():
        await _tell(state, serving=await is_ready())
        await _until(stop, seconds=BEAT)
    await state.enter_graceful_shutdown()
    await asyncio.sleep(drain)
    await server.stop(GRACE)


async def _tell(state: Any, *, serving: bool) -> None:
    states = health_pb2.HealthCheckResponse
    told = states.SERVING if serving else states.NOT_SERVING
    for name in ("", SERVICE):
        await state.set(name, told)


async def _until(stop: asyncio.Event, *, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
