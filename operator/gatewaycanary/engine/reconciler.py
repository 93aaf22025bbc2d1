"""The only loop: a key comes off the queue, is observed, decided, recorded and acted upon.

Order is the contract: a revert's route write first, then the status by compare-and-set, then the
effects that it announces, then events. Whatever fails is looked at again: at once where the world
has moved on, after a backoff where it is out of order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from gatewaycanary.api.status import Stage
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import Action, Decision
from gatewaycanary.engine.act import Actor
from gatewaycanary.engine.observe import Observed, Observer
from gatewaycanary.engine.queue import Priority, Queue
from gatewaycanary.engine.record import Recorder
from gatewaycanary.engine.relations import Key
from gatewaycanary.kube.errors import (
    ConflictError,
    FencedError,
    KubeError,
    NotFoundError,
    RetryableError,
    ThrottledError,
)
from gatewaycanary.telemetry.logs import decided
from gatewaycanary.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Read the wall clock."""
    return datetime.now(UTC)


class Reconciler:
    """Bring one canary after another a step further."""

    def __init__(
        self,
        *,
        queue: Queue[Key],
        observer: Observer,
        recorder: Recorder,
        actor: Actor,
        metrics: Metrics,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._queue = queue
        self._observer = observer
        self._recorder = recorder
        self._actor = actor
        self._metrics = metrics
        self._clock = clock

    async def work(self) -> None:
        """Reconcile keys until the queue is closed."""
        while True:
            key = await self._queue.get()
            try:
                await self._attempt(key)
            finally:
                self._queue.done(key)

    async def _attempt(self, key: Key) -> None:
        started = perf_counter()
        try:
            await self.reconcile(key)
        except FencedError:
            raise
        except ConflictError as error:
            self._again(key, error)
        except KubeError as error:
            self._again(key, error, at_least=_asked_patience(error))
        except Exception as error:  # noqa: BLE001 - the one place: no canary may stop the others
            _log.exception("%s/%s: a bug in the operator", *key)
            self._again(key, error)
        else:
            self._queue.forget(key)
        self._metrics.observe_reconcile(perf_counter() - started)

    def _again(self, key: Key, error: Exception, *, at_least: float = 0.0) -> None:
        self._metrics.count_error(error)
        priority = self._priority(key)
        delay = self._queue.retry(key, priority, at_least=at_least)
        level = logging.DEBUG if isinstance(error, ConflictError) else logging.WARNING
        _log.log(level, "%s/%s: %s; again in %.2f s", *key, error, delay)

    def _priority(self, key: Key) -> Priority:
        stage = self._observer.stage(key)
        return Priority.ROLLBACK if stage is Stage.ROLLING_BACK else Priority.ACTIVE

    async def reconcile(self, key: Key) -> None:
        """Observe, decide, record and act, once."""
        observed = self._observer.observe(key, now=self._clock())
        if observed is None:
            self._metrics.forget(*key)
            return
        decision = decide(observed.observation)
        if self._runs_hot(observed, decision):
            return
        failed = await self._revert(observed, decision)
        await self._record(observed, decision)
        try:
            await self._act(observed, decision.actions)
        finally:
            await self._recorder.tell(observed, decision)
        if failed is not None:
            raise failed
        if decision.requeue_after is not None:
            self._queue.add_after(key, decision.requeue_after.total_seconds(), self._priority(key))

    def _runs_hot(self, observed: Observed, decision: Decision) -> bool:
        """Put off a decision that keeps coming though its effects were performed."""
        if not decision.actions or decision.urgent:
            return False
        kept = observed.recollection
        said = (decision.status, decision.actions, observed.observation.tests)
        now = observed.observation.now
        wait = kept.pace(said, now=now)
        if wait <= timedelta():
            return False
        _log.debug("%s/%s: the same effects again: %s", *observed.key, decision.actions)
        self._queue.add_after(observed.key, wait.total_seconds(), self._priority(observed.key))
        return True

    async def _revert(self, observed: Observed, decision: Decision) -> KubeError | None:
        """Write the route before anything else; its failure must not keep the status unsaid."""
        try:
            await self._act(observed, decision.urgent)
        except FencedError:
            raise
        except KubeError as error:
            if not isinstance(error, NotFoundError):
                self._observer.memory.note_unwritable(observed.key, since=self._clock())
            return error
        if decision.urgent:
            self._observer.memory.note_written(observed.key)
        return None

    async def _record(self, observed: Observed, decision: Decision) -> None:
        if await self._recorder.record(observed, decision):
            status = decision.status
            decided(
                _log,
                observed.observation.meta,
                decision.summary,
                phase=status.phase,
                step=status.step,
                revision=status.revision,
            )

    async def _act(self, observed: Observed, actions: Iterable[Action]) -> None:
        for action in actions:
            if await self._actor.perform(observed, action):
                self._queue.add(observed.key, Priority.ACTIVE)


def _asked_patience(error: KubeError) -> float:
    if isinstance(error, ThrottledError):
        return error.retry_after or 0.0
    return 0.0 if isinstance(error, RetryableError) else 1.0
