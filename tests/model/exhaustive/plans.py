"""What the engine does about each thing it sees, and what its effects do to the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gatewaycanary.core.decision import AddFinalizer, RemoveFinalizer
from gatewaycanary.core.observation import Observation
from model import judgements, orders
from model.cluster import Cluster
from model.effects import ConflictError, Hands, RefusedError, store_status
from model.exhaustive.histories import Breach, hold
from model.exhaustive.nodes import NONE, Kept, Under, kept
from model.exhaustive.pools import Pool
from model.exhaustive.rehearsal import Script, rehearse
from model.exhaustive.stores import Store
from model.exhaustive.times import NOW
from model.observing import Memory, observe
from model.pictures import Picture
from model.replicas import Effect, StatusWrite, Step


@dataclass(slots=True)
class Plan:
    """One observation, and what the engine does about it."""

    observation: Observation
    seen: int
    scripts: dict[tuple[int, ...], Script] = field(default_factory=dict)

    def script(self, failed: tuple[int, ...]) -> Script:
        """Give the engine's effects, these of them failing."""
        found = self.scripts.get(failed)
        if found is None:
            found = self.scripts[failed] = rehearse(self.observation, frozenset(failed))
            hold(_unsaid(self.observation, found, failed))
        return found


def _unsaid(observation: Observation, script: Script, failed: tuple[int, ...]) -> Iterator[str]:
    before = observation.status.state
    for told in orders.nothing_left_unsaid(before, script.decision, script.effects, failed):
        yield f"nothing_left_unsaid: {told}"


@dataclass(frozen=True, slots=True)
class Done:
    """What an effect led to: the cluster and what is remembered; no step where it failed."""

    truth: int
    memory: int
    step: Step | None = None


class Plans:
    """Every plan once, by its number; none for a GatewayCanary that is gone."""

    def __init__(self, store: Store, memories: Pool[Kept]) -> None:
        self._store = store
        self._memories = memories
        self._plans: list[Plan | None] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._done: dict[tuple[int, int, int, Under], Done] = {}

    def __len__(self) -> int:
        return len(self._plans)

    def __getitem__(self, number: int) -> Plan | None:
        return self._plans[number]

    def find(self, view: int, memory: int) -> int:
        """Give the number of the plan for what is seen and remembered."""
        found = self._numbers.get((view, memory))
        if found is None:
            observation = observe(self._store[view], self._memories[memory].remembered(), NOW)
            plan = None if observation is None else _planned(observation, view)
            found = self._numbers[view, memory] = len(self._plans)
            self._plans.append(plan)
        return found

    def script(self, under: Under) -> Script:
        """Give what the engine does in a look that is under way."""
        plan = self._plans[under.plan]
        assert plan is not None, "nothing is done about a GatewayCanary that is gone"
        return plan.script(under.failed)

    def effect(self, under: Under) -> Effect:
        """Give the effect that is next."""
        return self.script(under).effects[under.at]

    def perform(self, under: Under, *, truth: int, view: int, memory: int) -> Done:
        """Perform the effect that is next, by an operator that now sees ``view``."""
        guarded = isinstance(self.effect(under), AddFinalizer | RemoveFinalizer)
        key = (truth, view if guarded else NONE, memory, under)
        found = self._done.get(key)
        if found is None:
            found = self._done[key] = self._perform(*key)
        return found

    def _perform(self, truth: int, view: int, memory: int, under: Under) -> Done:
        plan, script, before = self._plans[under.plan], self.script(under), self._store[truth]
        assert plan is not None
        effect = script.effects[under.at]
        cluster, remembered = Cluster(before), self._memories[memory].remembered()
        seen = self._store[plan.seen]
        newest = seen if view == NONE else self._store[view]
        try:
            self._apply(cluster, effect, script, (seen, newest), remembered)
        except (ConflictError, RefusedError):
            return Done(truth, memory)
        step = Step(
            effect=effect,
            observation=plan.observation,
            decision=script.decision,
            before=before,
            after=cluster.now,
            earlier=script.effects[: under.at],
        )
        return Done(self._store.number(cluster.now), self._memories.number(kept(remembered)), step)

    def _apply(
        self,
        cluster: Cluster,
        effect: Effect,
        script: Script,
        views: tuple[Picture, Picture],
        memory: Memory,
    ) -> None:
        seen, newest = views
        if not isinstance(effect, StatusWrite):
            hands = Hands(cluster, route_writable=lambda: True)
            status = script.decision.status
            hands.perform(effect, seen, status, memory, newest=newest.resource)
            return
        store_status(cluster, seen, self._store.stored(effect.status))


def _planned(observation: Observation, view: int) -> Plan:
    plan = Plan(observation, view)
    try:
        decision = plan.script(()).decision
    except Breach:
        raise
    except Exception as error:
        raise Breach([f"decide_is_total: decide raised {error!r}"]) from error
    hold(judgements.faults(observation, decision))
    return plan
