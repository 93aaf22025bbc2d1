"""Calls of memory-service, each with a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from soma.memory.v1 import memory_pb2, memory_pb2_grpc

SERVICE = memory_pb2.DESCRIPTOR.services_by_name["Memory"].full_name
SECONDS = 3.0
_OPTIONS = (("grpc.lb_policy_name", "round_robin"), ("grpc.max_reconnect_backoff_ms", 2_000))


class MemoryAwayError(Exception):
    """Raised when memory-service does not answer, or answers that it cannot now."""


class Memory:
    """One connection to memory-service."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self._calls: Any = memory_pb2_grpc.MemoryStub(self._channel)
        self._health: Any = health_pb2_grpc.HealthStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._channel.close()

    async def check(self) -> None:
        """Ask for its health, or raise MemoryAwayError."""
        answer = await _asked(self._health.Check, health_pb2.HealthCheckRequest(service=SERVICE))
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise MemoryAwayError("it is not serving")

    async def remember(self, *, session: str, message: UUID, text: str) -> bool:
        """Keep a text; give False if it was kept before."""
        request = memory_pb2.RememberRequest(session_id=session, message_id=str(message), text=text)
        return bool((await _asked(self._calls.Remember, request)).fresh)

    async def recall(self, *, session: str, before: UUID, limit: int = 0) -> Sequence[str]:
        """Give the texts that were kept before a message, the oldest first."""
        request = memory_pb2.RecallRequest(
            session_id=session, before_message_id=str(before), limit=limit
        )
        return [one.text for one in (await _asked(self._calls.Recall, request)).kept]


async def _asked(call: Any, request: object) -> Any:
    try:
        return await call(request, timeout=SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            raise
        raise MemoryAwayError(error.code().name) from error
