"""What a rollout has done so far, read from the history and the stream.

A step's requests are counted from one propagation time after its weight was seen stored until
the status that ends the step was seen; whatever the data plane answers while it may still be
changing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.shares import Share
from gatewaycanary.core.naming import RUN_LABEL
from proving import timelines
from proving.histories import History, Record
from proving.propagation import Propagation, propagation
from proving.streams import Stream
from proving.timelines import Shift

PROPAGATION = 2
"""Seconds after which the data plane certainly has a change, on a busy machine too."""

BEFORE = 1.0
"""Seconds of answers before a write that its propagation is measured with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as shown: ``until`` is None while it lasts."""

    weight: int
    since: float
    until: float | None
    share: Share
    propagation: Propagation | None
    passed: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Follow the rollout of one image by the GatewayCanary of a name."""

    history: History
    stream: Stream
    name: str
    image: str
    began: float
    _measured: dict[int, Propagation | None] = field(default_factory=dict)

    def steps(self) -> list[Step]:
        """Give the steps that the route has reached, each with what was measured."""
        records = self._records()
        return [self._step(records, each) for each in timelines.shifts(records) if each.after > 0]

    def status(self) -> dict[str, Any]:
        """Give the GatewayCanary's status where it is about this image, else nothing."""
        found = self.history.current("GatewayCanary", self.name)
        status = timelines.status(found) if found else {}
        return status if status.get("canaryImage") == self.image else {}

    def ended(self) -> bool:
        """Tell whether the rollout is over."""
        return self.status().get("phase") in {"Succeeded", "Failed", "Invalid"}

    def reaction(self) -> float | None:
        """Give the seconds from the failed test pod's status to weight 0, where both were seen."""
        records, back = self._records(), self._back()
        failed = [each.at for each in _tests(records) if _phase(each) == "Failed"]
        return back.record.at - failed[0] if failed and back is not None else None

    def return_propagation(self) -> Propagation | None:
        """Tell when the data plane had sent its last request to the canary, after weight 0."""
        back = self._back()
        return None if back is None else self._propagation(back, float("inf"))

    def route_left(self) -> bool:
        """Tell whether the canary is left with a weight."""
        shifts = list(timelines.shifts(self._records()))
        return bool(shifts) and shifts[-1].after > 0

    def _records(self) -> list[Record]:
        return [each for each in self.history.records() if each.at >= self.began]

    def _back(self) -> Shift | None:
        zeros = (each for each in timelines.shifts(self._records()) if each.after == 0)
        return next(zeros, None)

    def _step(self, records: Sequence[Record], shift: Shift) -> Step:
        since, weight = shift.record.at, shift.after
        until = _end(records, since, weight)
        names = {each.name: each for each in _tests(records) if _weight(each) == str(weight)}
        phases = {name: _phase(each) for name, each in names.items()}
        return Step(
            weight=weight,
            since=since,
            until=until,
            share=self._share(weight, since + PROPAGATION, until or float("inf")),
            propagation=None if until is None else self._propagation(shift, until),
            passed=sum(phase == "Succeeded" for phase in phases.values()),
            failed=tuple(name for name, phase in phases.items() if phase == "Failed"),
        )

    def _propagation(self, shift: Shift, until: float) -> Propagation | None:
        version, written = shift.record.version, shift.record.at
        if version not in self._measured:
            self._measured[version] = propagation(
                self.stream.answers(written - BEFORE, until),
                self._tag,
                written=written,
                before=shift.before,
                after=shift.after,
            )
        return self._measured[version]

    def _share(self, weight: int, since: float, until: float) -> Share:
        counted = self.stream.versions(since, until)
        return Share(weight=weight, requests=counted.total(), canary=counted[self._tag])

    @property
    def _tag(self) -> str:
        return self.image.rpartition(":")[2]


def _end(records: Sequence[Record], since: float, weight: int) -> float | None:
    for record in timelines.of_kind(records, "GatewayCanary"):
        state = timelines.state(record.object)
        left = state.get("announced") != weight or state.get("stage") != "Ramping"
        if record.at > since and left:
            return record.at
    return None


def _tests(records: Sequence[Record]) -> list[Record]:
    pods = timelines.of_kind(records, "Pod")
    return [each for each in pods if RUN_LABEL in timelines.labels(each.object)]


def _phase(record: Record) -> str:
    return str(timelines.status(record.object).get("phase", ""))


def _weight(record: Record) -> str:
    found = record.object["spec"]["containers"][0].get("env", [])
    return next((e.get("value", "") for e in found if e["name"] == "GATEWAYCANARY_WEIGHT"), "")
