"""Which request meets which fault: a pure function of a seed and of what came before.

Each verb of each resource has a sequence of its own, and so has each watch. What one of them
meets does not depend on how the others lie beside it in time: two runs of one seed differ only
where the operator asks something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from faults.kinds import EVERY, SILENT, STREAM, Fault, possible
from faults.requests import Request

LEASES = "leases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One fault that is to strike; ``seconds`` is how late an answer is, or the Retry-After."""

    fault: Fault
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Say how often what goes wrong.

    ``rate`` is the probability of a fault for a request, ``lease_rate`` the one for a request about
    a Lease, ``event_rate`` the one for an event of a watch. After ``streak`` faults in a row within
    one sequence the next request passes. Faults that are not among ``kinds`` never strike.
    """

    seed: int
    rate: float = 0.15
    lease_rate: float = 0.03
    event_rate: float = 0.04
    streak: int = 2
    kinds: frozenset[Fault] = EVERY

    def for_request(self, request: Request, *, number: int, streak: int) -> Injection | None:
        """Give the fault of a sequence's request, the first being number 0, after so many."""
        rate = self.lease_rate if request.resource == LEASES else self.rate
        choices = [fault for fault in possible(request) if fault in self.kinds]
        if streak >= self.streak:
            return None
        return self._draw(f"{request.key} {number}", rate, choices)

    def for_event(self, request: Request, *, number: int, event: int) -> Injection | None:
        """Give the fault of an event of a sequence's watch; no stream breaks at its first."""
        choices = [fault for fault in STREAM if fault in self.kinds]
        if event == 0 or request.resource == LEASES:
            return None
        return self._draw(f"{request.key} {number}/{event}", self.event_rate, choices)

    def _draw(self, what: str, rate: float, choices: Sequence[Fault]) -> Injection | None:
        dice = Random(f"{self.seed} {what}")
        if not choices or dice.random() >= rate:
            return None
        # NB: no answer costs ten seconds, where all else costs one to three.
        weights = [1 if fault in SILENT else 3 for fault in choices]
        fault = dice.choices(choices, weights)[0]
        return Injection(fault=fault, seconds=dice.choice((1.0, 2.0, 3.0)))


class Course:
    """Follow a plan through the requests as they come."""

    def __init__(self, plan: Plan | None) -> None:
        self._plan = plan
        self._numbers: Counter[str] = Counter()
        self._streaks: Counter[str] = Counter()

    def take(self, request: Request) -> tuple[int, Injection | None]:
        """Give the next request's number in its sequence, and its fault."""
        number = self._numbers[request.key]
        self._numbers[request.key] += 1
        if self._plan is None:
            return number, None
        streak = self._streaks[request.key]
        found = self._plan.for_request(request, number=number, streak=streak)
        self._streaks[request.key] = streak + 1 if found else 0
        return number, found

    def at_event(self, request: Request, *, number: int, event: int) -> Injection | None:
        """Give the fault of an event of a watch; the first event is number 0."""
        if self._plan is None:
            return None
        return self._plan.for_event(request, number=number, event=event)
