"""One replica of the operator: the engine's loop over the real ``decide``, one effect at a time.

Urgent effects first, then the status by compare-and-set if it differs, then events and actions.
``reconcile`` pauses before and after each effect, so that a model may interleave replicas, change
the cluster in between, or let the replica crash: whoever drops the pauses has crashed it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gatewaycanary.api.status import Stage, Status, dump_status
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import (
    Action,
    Decision,
    Event,
    LoadTests,
    RaiseWeight,
    ReadTestLog,
    RestoreRoute,
    WithdrawWeight,
)
from gatewaycanary.core.observation import Observation
from model.cluster import Cluster
from model.effects import ConflictError, Hands, RefusedError, store_status
from model.observing import Memory, observe
from model.pictures import Picture
from model.views import View

ROUTE_WRITES = RaiseWeight | WithdrawWeight | RestoreRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWrite:
    """The status went to the API server."""

    status: Status


Effect = Action | StatusWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect: of which decision, and what the cluster was before and after it.

    ``earlier``: what the same look had sent before, whether it succeeded or not.
    """

    effect: Effect
    observation: Observation
    decision: Decision
    before: Picture
    after: Picture
    earlier: tuple[Effect, ...] = ()

    @property
    def moved(self) -> bool:
        """Tell whether the route's weight changed."""
        before, after = self.before.route, self.after.route
        return (before.attached, before.weight) != (after.attached, after.weight)

    @property
    def upward(self) -> bool:
        """Tell whether this is a raise above what stood in the route."""
        if not isinstance(self.effect, RaiseWeight):
            return False
        weight = self.before.route.weight if self.before.route.attached else 0
        return weight is not None and self.effect.weight > weight

    @property
    def ends(self) -> bool:
        """Tell whether this is the status write that ends a rollout."""
        if not isinstance(self.effect, StatusWrite):
            return False
        ended = self.effect.status.state.stage is Stage.RESTING
        return ended and self.observation.status.state.stage is not Stage.RESTING


class Replica:
    """An operator with its own caches and memory."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        clock: Callable[[], datetime],
        route_writable: Callable[[], bool],
        decided: Callable[[Observation, Decision], None],
        performed: Callable[[Step], None],
    ) -> None:
        self._cluster = cluster
        self._clock = clock
        self._hands = Hands(cluster, route_writable=route_writable)
        self._decided = decided
        self._performed = performed
        self.events: list[Event] = []
        self.restart()

    def restart(self) -> None:
        """Come up anew: nothing remembered, everything listed afresh."""
        self.view = View(self._cluster)
        self.memory = Memory()
        self.under_way: Iterator[Effect] | None = None
        self.look_again_at: datetime | None = None
        self._marker: tuple[int, ...] = ()
        self._again = True
        self._failed = False
        self._sent: list[Effect] = []

    def is_due(self) -> bool:
        """Tell whether an event, an error or a deadline asks for another look."""
        timed = self.look_again_at is not None and self._clock() >= self.look_again_at
        return self._again or timed or self.view.marker() != self._marker

    def nudge(self) -> None:
        """Ask for another look, as any event may."""
        self._again = True

    def pause(self) -> Effect | None:
        """Go on to the next pause: before or after an effect; None at the end."""
        if self.under_way is None:
            self.under_way = self.reconcile()
        effect = next(self.under_way, None)
        if effect is None:
            self.under_way = None
        return effect

    def finish(self) -> None:
        """Go on to the end of a reconciliation."""
        while self.pause() is not None:
            pass

    def reconcile(self) -> Iterator[Effect]:
        """Observe, decide, record and act, once."""
        self._marker, self._again, self._failed = self.view.marker(), False, False
        self._sent = []
        seen, now = self.view.picture(), self._clock()
        self.look_again_at = None
        observation = observe(seen, self.memory, now)
        if observation is None:
            return
        decision = decide(observation)
        self._decided(observation, decision)
        try:
            yield from self._revert(observation, decision, seen)
            yield from self._record(observation, decision, seen)
            self.events.extend(decision.events)
            for action in decision.actions:
                yield from self._act(action, observation, decision, seen)
        except (ConflictError, RefusedError):
            self._again = True
            return
        self._again = self._again or self._failed
        if decision.requeue_after is not None:
            self.look_again_at = now + decision.requeue_after

    def _revert(
        self, observation: Observation, decision: Decision, seen: Picture
    ) -> Iterator[Effect]:
        for action in decision.urgent:
            try:
                yield from self._act(action, observation, decision, seen)
            except ConflictError:
                self._failed = True
            except RefusedError:
                self._failed = True

    def _record(
        self, observation: Observation, decision: Decision, seen: Picture
    ) -> Iterator[Effect]:
        if decision.status == observation.status:
            return
        effect = StatusWrite(status=decision.status)
        yield effect
        before = self._cluster.now
        self._sent.append(effect)
        store_status(self._cluster, seen, dump_status(decision.status))
        self.view.catch_up("resource")
        self._tell(effect, observation, decision, before)
        yield effect

    def _act(
        self, action: Action, observation: Observation, decision: Decision, seen: Picture
    ) -> Iterator[Effect]:
        yield action
        before = self._cluster.now
        self._sent.append(action)
        self._perform(action, seen, decision)
        if isinstance(action, LoadTests | ReadTestLog):
            self._again = True
        self._read_back(before)
        self._tell(action, observation, decision, before)
        yield action

    def _perform(self, action: Action, seen: Picture, decision: Decision) -> None:
        try:
            newest = self.view.picture().resource
            self._hands.perform(action, seen, decision.status, self.memory, newest=newest)
        except RefusedError:
            if isinstance(action, ROUTE_WRITES):
                self.memory.unwritable_since = self.memory.unwritable_since or self._clock()
            raise
        if isinstance(action, ROUTE_WRITES):
            self.memory.unwritable_since = None

    def _read_back(self, before: Picture) -> None:
        after = self._cluster.now
        names = ("resource", "stable", "canary", "service", "route", "scaler", "runs")
        self.view.catch_up(*(n for n in names if getattr(after, n) != getattr(before, n)))

    def _tell(
        self, effect: Effect, observation: Observation, decision: Decision, before: Picture
    ) -> None:
        self._performed(
            Step(
                effect=effect,
                observation=observation,
                decision=decision,
                before=before,
                after=self._cluster.now,
                earlier=tuple(self._sent[:-1]),
            )
        )
