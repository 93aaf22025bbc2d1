"""Where faults strike: counted for a process, delayed, then failed."""

from __future__ import annotations

import asyncio
from itertools import count

from soma.domain.faults import FaultError, Faults


class Strikes:
    """Delay and fail as the settings ask for."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._numbers = count(1)

    async def pass_through(self) -> None:
        """Wait, then return or raise FaultError."""
        if self.faults.latency_ms:
            await asyncio.sleep(self.faults.latency_ms / 1000)
        if self.faults.strikes(next(self._numbers)):
            raise FaultError("asked for by SOMA_FAULT_ERROR_RATE")
