"""The only loop: a key comes off the queue, is observed, decided, recorded and acted upon.

Order is the contract: a revert's route write first, then the status by compare-and-set, then the
effects that it announces, then events. Whatever fails is looked at again: at once where the world
has moved on, after a backoff where it is out of order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from math import inf
from time import perf_counter

from gatewaycanary.api.status import Stage
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import Action, Decision, Event, RestoreRoute, WithdrawWeight
from gatewaycanary.engine.act import Actor
from gatewaycanary.engine.observe import Observed, Observer
from gatewaycanary.engine.parsing import UnreadableStatusError
from gatewaycanary.engine.queue import Priority, Queue
from gatewaycanary.engine.record import Recorder
from gatewaycanary.engine.relations import Key
from gatewaycanary.kube.errors import (
    ConflictError,
    FencedError,
    ForbiddenError,
    InvalidError,
    KubeError,
    NotFoundError,
    RetryableError,
    ThrottledError,
)
from gatewaycanary.telemetry.logs import decided
from gatewaycanary.telemetry.metrics import Metrics
from gatewaycanary.telemetry.timing import Reactions

REFUSALS = (ForbiddenError, InvalidError)
"""What users must be told, for nobody but they can mend it."""

REVERT_PATIENCE = 2.0
"""Seconds after which a revert that failed is tried again at the latest."""

WAYS_BACK = (WithdrawWeight, RestoreRoute)
"""The route's writes that lead home."""

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
        reactions: Reactions[Key],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._queue = queue
        self._observer = observer
        self._recorder = recorder
        self._actor = actor
        self._metrics = metrics
        self._reactions = reactions
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
        self._reactions.taken(key)
        try:
            await self._look(key)
        except FencedError:
            raise
        except ConflictError as error:
            self._again(key, error)
        except KubeError as error:
            self._note_patience(key, error)
            self._again(key, error, at_least=_asked_patience(error))
        except Exception as error:  # noqa: BLE001 - the one place: no canary may stop the others
            _log.exception("%s/%s: a bug in the operator", *key)
            self._again(key, error)
        else:
            self._queue.forget(key)
            self._reactions.settled(key)
        self._metrics.observe_reconcile(perf_counter() - started)

    def _again(self, key: Key, error: Exception, *, at_least: float = 0.0) -> None:
        self._metrics.count_error(error)
        self._reactions.failed(key)
        priority = self._priority(key)
        at_most = REVERT_PATIENCE if priority is Priority.ROLLBACK else inf
        delay = self._queue.retry(key, priority, at_least=at_least, at_most=at_most)
        level = logging.DEBUG if isinstance(error, ConflictError) else logging.WARNING
        _log.log(level, "%s/%s: %s; again in %.2f s", *key, error, delay)

    def _note_patience(self, key: Key, error: KubeError, *, urgent: bool = False) -> None:
        if isinstance(error, ThrottledError) and error.retry_after:
            patience = timedelta(seconds=error.retry_after)
            self._observer.memory.note_asked(key, patience, at=self._clock(), urgent=urgent)

    def _priority(self, key: Key) -> Priority:
        reverts = self._observer.stage(key) is Stage.ROLLING_BACK
        if reverts or self._observer.memory.is_unwritable(key):
            return Priority.ROLLBACK
        return Priority.ACTIVE

    async def _look(self, key: Key) -> None:
        try:
            await self.reconcile(key)
        except UnreadableStatusError as error:
            self._metrics.count_error(error)
            await self._recorder.tell_unreadable(key, error)

    async def reconcile(self, key: Key) -> None:
        """Observe, decide, record and act, once."""
        observed = self._observer.observe(key, now=self._clock())
        if observed is None:
            self._metrics.forget(*key)
            return
        self._meet(observed)
        decision = decide(observed.observation)
        if self._must_wait(observed, decision) or self._runs_hot(observed, decision):
            return
        if not any(isinstance(a, WAYS_BACK) for a in decision.urgent + decision.actions):
            self._observer.memory.note_written(key)
        failed = await self._revert(observed, decision)
        await self._record(observed, decision)
        await self._perform(observed, decision, failed=failed)
        if decision.requeue_after is not None:
            self._queue.add_after(key, decision.requeue_after.total_seconds(), self._priority(key))

    def _meet(self, observed: Observed) -> None:
        """Begin the series of an object that this process has not looked at before."""
        kept, observation = observed.recollection, observed.observation
        if not kept.met:
            kept.met = True
            self._metrics.forget(*observed.key)
            self._metrics.observe_existing(observation.meta, observation.status)

    def _must_wait(self, observed: Observed, decision: Decision) -> bool:
        """Put off what an event has woken too early after a 429; a revert, only its own."""
        now, urgent = observed.observation.now, bool(decision.urgent)
        wait = observed.recollection.patience(now=now, urgent=urgent)
        if wait <= timedelta():
            return False
        self._queue.add_after(observed.key, wait.total_seconds(), self._priority(observed.key))
        return True

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
        sooner = min(wait, decision.requeue_after or wait)
        self._queue.add_after(observed.key, sooner.total_seconds(), self._priority(observed.key))
        return True

    async def _revert(self, observed: Observed, decision: Decision) -> KubeError | None:
        """Write the route before anything else; its failure must not keep the status unsaid."""
        try:
            await self._act(observed, decision.urgent)
        except FencedError:
            raise
        except KubeError as error:
            return error
        if decision.urgent:
            self._reactions.answered(observed.key, "revert")
        return None

    async def _record(self, observed: Observed, decision: Decision) -> None:
        if await self._recorder.record(observed, decision):
            self._reactions.answered(observed.key, "gate")
            status = decision.status
            decided(
                _log,
                observed.observation.meta,
                decision.summary,
                phase=status.phase,
                step=status.step,
                revision=status.revision,
            )

    async def _perform(
        self, observed: Observed, decision: Decision, *, failed: KubeError | None
    ) -> None:
        """Perform the effects, tell the events, and then raise what has failed."""
        try:
            await self._act(observed, decision.actions)
        except FencedError:
            raise
        except KubeError as error:
            failed = failed or error
        refused = (_refusal(failed),) if isinstance(failed, REFUSALS) else ()
        meta = observed.observation.meta
        await self._recorder.tell(meta, decision.status, (*decision.events, *refused))
        if failed is not None:
            raise failed

    async def _act(self, observed: Observed, actions: Iterable[Action]) -> None:
        for action in actions:
            try:
                again = await self._actor.perform(observed, action)
            except KubeError as error:
                self._note_failure(observed.key, action, error)
                raise
            if isinstance(action, WAYS_BACK):
                self._observer.memory.note_written(observed.key)
            if again:
                self._queue.add(observed.key, Priority.ACTIVE)

    def _note_failure(self, key: Key, action: Action, error: KubeError) -> None:
        """Note since when traffic cannot be brought home: a deletion must not wait for ever."""
        self._note_patience(key, error, urgent=isinstance(action, WAYS_BACK))
        if isinstance(action, WAYS_BACK) and not isinstance(error, NotFoundError | FencedError):
            self._observer.memory.note_unwritable(key, since=self._clock())


def _refusal(error: KubeError) -> Event:
    return Event(reason="RequestRefused", message=str(error), warning=True)


def _asked_patience(error: KubeError) -> float:
    if isinstance(error, ThrottledError):
        return error.retry_after or 0.0
    return 0.0 if isinstance(error, RetryableError) else 1.0
