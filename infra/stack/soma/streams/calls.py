"""A tool called by the stream: the request's id decides where the result is left.

A caller that died and is repeated finds the result of its first try; a request that is delivered
twice is carried out once.
"""

from __future__ import annotations

from uuid import UUID

from soma.domain.answers import ToolCall, ToolResult
from soma.domain.envelopes import TOOLS, Envelope
from soma.streams.client import Streams

READ_MS = 1_000


class NoResultError(TimeoutError):
    """Raised when no tool-executor answered in time."""


def reply_key(request: UUID) -> str:
    """Say where the result of a request is left."""
    return f"{TOOLS}:result:{request}"


async def call(streams: Streams, tool: ToolCall, *, request: UUID, wait_ms: int) -> ToolResult:
    """Have a tool carried out, or raise NoResultError."""
    key = reply_key(request)
    if not await streams.has_reply(key):
        body = {"tool": tool.name, "argument": tool.argument}
        await streams.send([(TOOLS, Envelope(id=request, body=body))])
    # A blocked read has to end before the connection's own time limit does.
    for waited in range(0, wait_ms, READ_MS):
        if reply := await streams.await_reply(key, wait_ms=min(READ_MS, wait_ms - waited)):
            return ToolResult(text=reply["text"], ok=reply["ok"] == "yes")
    raise NoResultError("no tool-executor answered in time")


async def answer(streams: Streams, request: UUID, result: ToolResult) -> None:
    """Leave a result for the caller."""
    fields = {"text": result.text, "ok": "yes" if result.ok else "no"}
    await streams.reply(reply_key(request), fields)
