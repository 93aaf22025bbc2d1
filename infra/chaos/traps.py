"""A kill at the exact moment of an effect: before the server has it, or once it has done it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from chaos.effects import Effect, Recogniser
from faults.requests import Request


class Trap:
    """Kill once, at the first request that has the effect. It is the hook of a proxy.

    ``at`` is when it did, or 0; ``version`` the last that was stored before the kill, if known.
    """

    def __init__(
        self,
        effect: Effect,
        *,
        before: bool,
        recogniser: Recogniser,
        kill: Callable[[], object],
        sprung: threading.Event,
    ) -> None:
        self.at = 0.0
        self.version = 0
        self._effect = effect
        self._before = before
        self._recogniser = recogniser
        self._kill = kill
        self._sprung = sprung

    def before(self, request: Request) -> bool:
        """Kill, and hold the request back, where it is to be before."""
        if self._before and self._meets(request):
            self._spring()
            return False
        return True

    def after(self, request: Request, status: int, body: bytes) -> None:
        """Kill where it is to be after; the answer then finds nobody."""
        if status >= 300:
            return
        if not self._before and self._meets(request):
            self._spring()
            self.version = _version(body)
        self._recogniser.learn(request)

    def _meets(self, request: Request) -> bool:
        return not self._sprung.is_set() and self._effect in self._recogniser.effects(request)

    def _spring(self) -> None:
        self._kill()
        self.at = time.monotonic()
        self._sprung.set()


def _version(body: bytes) -> int:
    try:
        return int(json.loads(body)["metadata"].get("resourceVersion", 0))
    except (ValueError, KeyError):
        return 0
