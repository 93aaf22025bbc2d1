"""What a kubelet does for the operator's container: start it again when it has ended."""

from __future__ import annotations

import threading

from proving.operators import Operator


class Keeper:
    """Keep one operator running; a start that follows another soon waits a little."""

    def __init__(self, operator: Operator, *, pause: float = 1.0) -> None:
        self.operator = operator
        self.restarts = 0
        self._pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Start the operator, and keep it."""
        self.operator.start()
        self._thread.start()

    def stop(self) -> None:
        """End the operator for good."""
        self._stopped.set()
        self.operator.kill()
        self._thread.join(10)
        # NB: it may just have been started again.
        self.operator.kill()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.operator.await_end()
            if not self._stopped.wait(self._pause):
                self.restarts += 1
                self.operator.start()
