"""A watch on its way through the proxy: lines from the server, faults between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

from faults.answers import status_of
from faults.kinds import Fault
from faults.plans import Injection

Strike = Callable[[int], Injection | None]
"""Give the fault of a stream's event; the first is number 0."""

_GONE: Final = json.dumps({"type": "ERROR", "object": status_of(Fault.GONE)}).encode() + b"\n"


class BrokenError(Exception):
    """Raised when the stream is to break off where it is."""


async def lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Give whole lines, their ends included, and what is left at the end."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


async def disturbed(events: AsyncIterator[bytes], strike: Strike) -> AsyncGenerator[bytes]:
    """Give the events of a watch as the faults let them through; raise BrokenError for a cut."""
    number = 0
    async for line in events:
        injection = strike(number)
        number += 1
        match injection.fault if injection else None:
            case Fault.CUT:
                yield line[: len(line) // 2]
                raise BrokenError
            case Fault.TORN:
                yield line[: len(line) // 2]
                return
            case Fault.ENDED:
                return
            case Fault.GONE:
                yield _GONE
                return
            case Fault.DUPLICATED:
                yield line
            case Fault.DELAYED:
                assert injection is not None
                await asyncio.sleep(injection.seconds)
        yield line
