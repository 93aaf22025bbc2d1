"""What came to the proxy, and what it did to it, in order."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from faults.kinds import Fault
from faults.plans import LEASES, Injection
from faults.requests import WRITES, Request

_ROUNDING: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One fault that struck: the how-manieth of its sequence met it, and at which event.

    ``at`` is the monotonic time.
    """

    request: Request
    number: int
    injection: Injection
    event: int | None = None
    at: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        place = f"{self.request.namespace}/{self.request.name}".strip("/")
        at = "" if self.event is None else f", event {self.event}"
        what = f"{self.injection.fault.name} ({self.injection.seconds:.0f} s)"
        return f"{self.request.key} {place} #{self.number}{at}: {what}"


class Ledger:
    """Count requests by verb and resource, and keep the faults; safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._strokes: list[Stroke] = []
        self._put_off: dict[tuple[str, str, str], float] = {}
        self._hasty: list[Request] = []

    def note(self, request: Request) -> None:
        """Count a request that came, whatever becomes of it."""
        with self._lock:
            self._counts[request.verb, request.resource] += 1
            until = self._put_off.pop(request.target, 0.0)
            if time.monotonic() < until - _ROUNDING:
                self._hasty.append(request)

    def strike(self, stroke: Stroke) -> None:
        """Keep a fault."""
        request, injection = stroke.request, stroke.injection
        with self._lock:
            self._strokes.append(stroke)
            if injection.fault is Fault.THROTTLED:
                self._put_off[request.target] = stroke.at + injection.seconds

    def counts(self) -> Counter[tuple[str, str]]:
        """Give the number of requests of each verb and resource."""
        with self._lock:
            return self._counts.copy()

    def strokes(self) -> list[Stroke]:
        """Give the faults in the order in which they struck."""
        with self._lock:
            return list(self._strokes)

    def hasty(self) -> list[Request]:
        """Give the requests that came again before the Retry-After of their 429 was over."""
        with self._lock:
            return list(self._hasty)

    def requests(self) -> int:
        """Give the number of all requests but watches and those about the Lease."""
        return sum(
            count
            for (verb, resource), count in self.counts().items()
            if verb != "watch" and resource != LEASES
        )

    def effects(self) -> int:
        """Give the number of writes but those about the Lease."""
        return sum(
            count
            for (verb, resource), count in self.counts().items()
            if verb in WRITES and resource != LEASES
        )
