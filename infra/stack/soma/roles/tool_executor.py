"""tool-executor: carries out what is asked by the stream and leaves the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from soma.domain import tools
from soma.domain.answers import ToolResult
from soma.domain.envelopes import Envelope
from soma.streams.calls import answer, reply_key
from soma.streams.client import Streams
from soma.streams.consumers import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Executing:
    """All that a tool needs."""

    streams: Streams
    faults: Callable[[], Awaitable[None]]
    count: Callable[[str, str], None]

    async def effect(self, envelope: Envelope) -> Outcome:
        """Carry out a tool unless its result is there."""
        name, argument = envelope.text("tool"), envelope.text("argument")
        if await self.streams.has_reply(reply_key(envelope.id)):
            return "repeated"
        await self.faults()
        result = _result(name, argument)
        self.count(name if name in tools.NAMES else "unknown", "ok" if result.ok else "refused")
        await answer(self.streams, envelope.id, result)
        return "done"

    async def give_up(self, envelope: Envelope) -> None:
        """Tell the caller that there will be no result."""
        result = ToolResult(text="the tool could not be carried out", ok=False)
        await answer(self.streams, envelope.id, result)


def _result(name: str, argument: str) -> ToolResult:
    try:
        return ToolResult(text=tools.run(name, argument), ok=True)
    except tools.ToolError as error:
        return ToolResult(text=str(error), ok=False)
