"""What is counted of each GatewayCanary, kept as one small record an object.

The series of an object are written out from its record when somebody asks for them, and are gone
as soon as the record is: there is nothing to clean up label by label. A thousand objects cost a
thousand records instead of twenty thousand series kept in memory.

NB: collected in the server's thread while the loop writes; `list(dict.items())` is one step for
the interpreter, and a record is only ever replaced as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gatewaycanary.api.status import Outcome, Phase, Stage, Status
from gatewaycanary.core.observation import Meta
from gatewaycanary.telemetry import series

OTHER = "Other"
REASONS_KEPT = 32
_REASON = re.compile("[A-Za-z0-9]{1,64}")

Key = tuple[str, str]
"""A namespace and a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the series of one object say."""

    phase: Phase = Phase.PENDING
    weight: int = 0
    target_weight: int = 0
    step: int = 0
    steps: int = 0
    diverged: bool = False
    rollouts: Mapping[str, int] = field(default_factory=dict)
    reverts: Mapping[str, int] = field(default_factory=dict)
    corrections: int = 0


class Records(Collector):
    """Hold a record for each object and write their series out."""

    def __init__(self) -> None:
        self._records: dict[Key, Record] = {}

    def __len__(self) -> int:
        return len(self._records)

    def note(self, meta: Meta, old: Status, new: Status) -> None:
        """Bring an object's record up to a stored status."""
        key = (meta.namespace, meta.name)
        record = self._records.get(key, Record())
        self._records[key] = follow(record, old, new)

    def forget(self, namespace: str, name: str) -> None:
        """Let an object's series vanish."""
        self._records.pop((namespace, name), None)

    def collect(self) -> Iterator[Metric]:
        """Write out the series of all objects."""
        items = list(self._records.items())
        yield from _gauges(items)
        yield _phases(items)
        yield from _counters(items)


def follow(record: Record, old: Status, new: Status) -> Record:
    """Give the record after the status went from old to new."""
    step, steps = _progress(new)
    return replace(
        record,
        phase=new.phase,
        weight=new.weight or 0,
        target_weight=new.target_weight or 0,
        step=step,
        steps=steps,
        diverged=is_diverged(new),
        rollouts=_raised(record.rollouts, ended(old, new)),
        reverts=_raised(record.reverts, turned_back(old, new)),
        corrections=record.corrections + corrected(old, new),
    )


def ended(old: Status, new: Status) -> str | None:
    """Name the result of the rollout that this change ends."""
    if old.state.stage is Stage.RESTING or new.state.stage is not Stage.RESTING:
        return None
    return result(new.state.outcome)


def result(outcome: Outcome | None) -> str:
    """Give the label's value for an outcome."""
    return outcome.name.lower() if outcome is not None else OTHER.lower()


def turned_back(old: Status, new: Status) -> str | None:
    """Name the reason for which this change turns traffic back."""
    turns = new.state.stage is Stage.ROLLING_BACK and old.state.stage is not Stage.ROLLING_BACK
    if not turns:
        return None
    reason = new.failure.reason if new.failure else ""
    return reason if _REASON.fullmatch(reason) else OTHER


def corrected(old: Status, new: Status) -> int:
    """Count the corrections of drift that this change announces."""
    before, after = old.state, new.state
    same_step = (before.revision, before.announced) == (after.revision, after.announced)
    return max(0, after.corrections - (before.corrections if same_step else 0))


def is_diverged(status: Status) -> bool:
    """Tell whether stable has left the promoted image."""
    return any(condition.reason == "StableDiverged" for condition in status.conditions)


def _progress(status: Status) -> tuple[int, int]:
    step, _, steps = status.step.partition("/")
    return (int(step), int(steps)) if step.isdecimal() and steps.isdecimal() else (0, 0)


def _raised(counts: Mapping[str, int], word: str | None) -> Mapping[str, int]:
    if word is None:
        return counts
    kept = word if word in counts or len(counts) < REASONS_KEPT else OTHER
    return {**counts, kept: counts.get(kept, 0) + 1}


def _gauges(items: list[tuple[Key, Record]]) -> Iterator[Metric]:
    for one, read in _READINGS:
        family = GaugeMetricFamily(one.name, one.about, labels=one.labels)
        for key, record in items:
            family.add_metric(key, float(read(record)))
        yield family


_READINGS: tuple[tuple[series.Series, Callable[[Record], float]], ...] = (
    (series.WEIGHT, lambda record: record.weight),
    (series.TARGET_WEIGHT, lambda record: record.target_weight),
    (series.STEP, lambda record: record.step),
    (series.STEPS, lambda record: record.steps),
    (series.STABLE_DIVERGED, lambda record: record.diverged),
)


def _phases(items: list[tuple[Key, Record]]) -> Metric:
    family = GaugeMetricFamily(series.PHASE.name, series.PHASE.about, labels=series.PHASE.labels)
    for key, record in items:
        for phase in Phase:
            family.add_metric((*key, phase), float(record.phase is phase))
    return family


def _counters(items: list[tuple[Key, Record]]) -> Iterator[Metric]:
    rollouts = _counter(series.ROLLOUTS)
    reverts = _counter(series.REVERTS)
    corrections = _counter(series.DRIFT_CORRECTIONS)
    for key, record in items:
        for word, count in record.rollouts.items():
            rollouts.add_metric((*key, word), count)
        for word, count in record.reverts.items():
            reverts.add_metric((*key, word), count)
        corrections.add_metric(key, record.corrections)
    yield from (rollouts, reverts, corrections)


def _counter(one: series.Series) -> CounterMetricFamily:
    return CounterMetricFamily(one.name, one.about, labels=one.labels)
