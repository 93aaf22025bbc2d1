"""What a rollout has done so far, read from the history and the stream.

A step's requests are counted from one propagation time after its weight was seen stored until
the status that ends the step was seen; whatever the data plane answers while it may still be
changing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.providers import Provider
from demo.shares import Share
from gatewaycanary.core.naming import RUN_LABEL
from proving import timelines
from proving.histories import History, Record
from proving.streams import Stream

PROPAGATION = 2
"""Seconds after which the data plane certainly has a change, on a busy machine too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as shown: ``until`` is None while it lasts."""

    weight: int
    since: float
    until: float | None
    share: Share
    passed: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Follow the rollout of one image."""

    history: History
    stream: Stream
    provider: Provider
    image: str
    began: float

    def steps(self) -> list[Step]:
        """Give the steps that the route has reached, each with what was measured."""
        records = [each for each in self.history.records() if each.at >= self.began]
        raised = [each for each in self.provider.weights(records) if each[1] > 0]
        return [self._step(records, since, weight) for since, weight in raised]

    def status(self) -> dict[str, Any]:
        """Give the GatewayCanary's status where it is about this image, else nothing."""
        found = self.history.current("GatewayCanary", "gateway")
        status = timelines.status(found) if found else {}
        return status if status.get("canaryImage") == self.image else {}

    def ended(self) -> bool:
        """Tell whether the rollout is over."""
        return self.status().get("phase") in {"Succeeded", "Failed", "Invalid"}

    def reaction(self) -> float | None:
        """Give the seconds from the failed test pod's status to weight 0, where both were seen."""
        records = [each for each in self.history.records() if each.at >= self.began]
        failed = [each.at for each in _tests(records) if _phase(each) == "Failed"]
        zeros = [at for at, weight in self.provider.weights(records) if weight == 0]
        after = [at for at in zeros if failed and at >= failed[0]]
        return after[0] - failed[0] if after else None

    def _step(self, records: Sequence[Record], since: float, weight: int) -> Step:
        until = _end(records, since, weight)
        names = {each.name: each for each in _tests(records) if _weight(each) == str(weight)}
        phases = {name: _phase(each) for name, each in names.items()}
        return Step(
            weight=weight,
            since=since,
            until=until,
            share=self._share(weight, since + PROPAGATION, until or float("inf")),
            passed=sum(phase == "Succeeded" for phase in phases.values()),
            failed=tuple(name for name, phase in phases.items() if phase == "Failed"),
        )

    def _share(self, weight: int, since: float, until: float) -> Share:
        counted = self.stream.versions(since, until)
        version = self.image.rpartition(":")[2]
        return Share(weight=weight, requests=counted.total(), canary=counted[version])


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
