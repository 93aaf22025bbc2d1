"""Whether the dependencies answer, each asked within a bound, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Check = Callable[[], Awaitable[object]]
SECONDS = 2.0


async def problems(checks: Mapping[str, Check]) -> dict[str, str]:
    """Name what does not answer, with the kind of error: its text might tell an address."""
    asked = (asyncio.wait_for(check(), SECONDS) for check in checks.values())
    told = await asyncio.gather(*asked, return_exceptions=True)
    return {
        name: type(one).__name__
        for name, one in zip(checks, told, strict=True)
        if isinstance(one, Exception)
    }
