"""The metrics, in a registry of their own.

The engine tells what happened; nothing here asks. `observe_transition` is told of each status
after it was stored, so that a repeat after a conflict or a crash counts nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)

from gatewaycanary.api.status import Status, StepRecord, Verdict
from gatewaycanary.core.observation import Meta
from gatewaycanary.telemetry import records, series

ReactionKind = Literal["gate", "revert"]


class Metrics:
    """All that Prometheus can ask of this operator."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._records = records.Records()
        self.registry.register(self._records)
        ProcessCollector(registry=self.registry)
        self._steps = self._histogram(series.STEP_SECONDS)
        self._rollouts = self._histogram(series.ROLLOUT_SECONDS)
        self._tests = self._histogram(series.TEST_SECONDS)
        self._reactions = self._histogram(series.REACTION_SECONDS)
        self._queue_depth = self._gauge(series.QUEUE_DEPTH)
        self._queue_latency = self._histogram(series.QUEUE_SECONDS)
        self._reconciles = self._histogram(series.RECONCILE_SECONDS)
        self._errors = self._counter(series.ERRORS)
        self._requests = self._counter(series.REQUESTS)
        self._latency = self._histogram(series.REQUEST_SECONDS)
        self._leader = self._gauge(series.LEADER)
        self._lag = self._histogram(series.LOOP_LAG_SECONDS)

    def observe_transition(self, meta: Meta, old: Status, new: Status) -> None:
        """Note that the stored status of an object went from old to new."""
        self._records.note(meta, old, new)
        recorded = newly_recorded(old, new)
        if recorded is not None and recorded.entered_at and recorded.left_at:
            self._steps.observe((recorded.left_at - recorded.entered_at).total_seconds())
        ended = records.ended(old, new)
        if ended is not None and new.started_at and new.completed_at:
            seconds = (new.completed_at - new.started_at).total_seconds()
            self._rollouts.labels(ended).observe(seconds)
        if tests_finished(old, new):
            for test in new.tests:
                if test.verdict is not Verdict.RUNNING:
                    self._tests.labels(test.verdict.lower()).observe(test.duration_seconds)

    def observe_existing(self, meta: Meta, status: Status) -> None:
        """Note the status of an object that was there before us."""
        self._records.note(meta, status, status)

    def forget(self, namespace: str, name: str) -> None:
        """Let the series of an object vanish: it is gone."""
        self._records.forget(namespace, name)

    def observe_request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Note one request to the API server (an observer of `kube.transport`)."""
        self._requests.labels(verb, resource, str(code)).inc()
        self._latency.labels(verb).observe(seconds)

    def observe_reaction(self, kind: ReactionKind, seconds: float) -> None:
        """Note the time from a fact's arrival to the answer to the write that it leads to."""
        self._reactions.labels(kind).observe(seconds)

    def observe_queue_latency(self, priority: str, seconds: float) -> None:
        """Note how long a key stood ready."""
        self._queue_latency.labels(priority).observe(seconds)

    def follow_queue(self, priorities: Iterable[str], depth: Callable[[str], int]) -> None:
        """Have the queue's depth read from `depth` whenever somebody asks."""
        for priority in priorities:
            self._queue_depth.labels(priority).set_function(partial(depth, priority))

    def observe_reconcile(self, seconds: float) -> None:
        """Note how long one look at an object took."""
        self._reconciles.observe(seconds)

    def count_error(self, error: BaseException) -> None:
        """Note a look that ended in an error, by its class."""
        self._errors.labels(type(error).__name__).inc()

    def set_leader(self, *, leading: bool) -> None:
        """Note whether this replica holds the lease."""
        self._leader.set(float(leading))

    def observe_loop_lag(self, seconds: float) -> None:
        """Note how long the event loop took to turn to a liveness probe."""
        self._lag.observe(seconds)

    def _counter(self, one: series.Series) -> Counter:
        return Counter(one.name, one.about, one.labels, registry=self.registry)

    def _gauge(self, one: series.Series) -> Gauge:
        return Gauge(one.name, one.about, one.labels, registry=self.registry)

    def _histogram(self, one: series.Series) -> Histogram:
        return Histogram(
            one.name, one.about, one.labels, registry=self.registry, buckets=one.buckets
        )


def newly_recorded(old: Status, new: Status) -> StepRecord | None:
    """Give the step that this change records."""
    if not new.history or new.history == old.history:
        return None
    return new.history[-1]


def tests_finished(old: Status, new: Status) -> bool:
    """Tell whether this change counts tests whose results the new status shows."""
    recorded = newly_recorded(old, new)
    same_step = (old.state.revision, old.state.announced) == (
        new.state.revision,
        new.state.announced,
    )
    before = old.state.tests_passed + old.state.tests_failed
    if recorded is not None:
        return recorded.tests_passed + recorded.tests_failed > before
    after = new.state.tests_passed + new.state.tests_failed
    return after > (before if same_step else 0)
