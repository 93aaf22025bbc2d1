"""Operators that are started again when they end, as a kubelet would."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

from proving.operators import Operator

_LOOK = 0.05
_PAUSE = 0.5
"""Seconds between the end of an operator and its next start."""


class Keeper:
    """Keep one operator running until told otherwise.

    NB: the operator dies with the thread that started it, so that thread lives as long as this.
    """

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.starts = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start the operator."""
        self._thread.start()

    def stop(self) -> None:
        """End the operator and wait for its end."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(60)

    def kill(self) -> float:
        """Kill the operator now; give the time."""
        self._signal(signal.SIGKILL)
        return time.monotonic()

    def pause(self, seconds: float) -> float:
        """Stop the operator for so long, and wake it; give the time of its waking."""
        self._signal(signal.SIGSTOP)
        self._stopped.wait(seconds)
        self._signal(signal.SIGCONT)
        return time.monotonic()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if not self.operator.has_ended():
                os.kill(self.operator.pid, number)

    def _keep(self) -> None:
        while not self._stopped.is_set():
            self.operator.start()
            self.starts += 1
            while not self.operator.has_ended() and not self._stopped.wait(_LOOK):
                pass
            if not self._stopped.is_set():
                self._stopped.wait(_PAUSE)
        self._signal(signal.SIGCONT)
        self.operator.kill()
