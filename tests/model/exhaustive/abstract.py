"""The states that follow a state: the real engine and core, and a small cluster to act upon.

A look of the operator goes effect by effect, so that every fault may come between any two. The
cluster goes on by itself only while the operator has nothing to do; what an operator does not see
of that is the fault of a stale read. Time passes where nothing else can happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import ceil
from typing import Final

from model.exhaustive import histories
from model.exhaustive.changes import By, Change, Changes
from model.exhaustive.judges import Judge
from model.exhaustive.nodes import NONE, Facts, Kept, Kind, Late, Move, Node, Under, happens
from model.exhaustive.plans import Done, Plans
from model.exhaustive.pools import Pool
from model.exhaustive.scenes import Scene
from model.exhaustive.stores import Store
from model.observing import run_key

BRIEF: Final = 30
"""Seconds that a stale view may last; a watch that brings nothing for longer is made anew."""

WATCHED: Final = (
    "resource",
    "stable",
    "stable_ready",
    "canary",
    "canary_pods",
    "route",
    "runs",
    "scaler",
    "service",
)

Edge = tuple[Move, Callable[[], Node]]
"""A move, and how to find the state that it leads to; finding it may raise a breach."""


class Model:
    """All states of one scene, found as they are asked for."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.store = Store()
        self.memories: Pool[Kept] = Pool()
        self.unders: Pool[Under] = Pool()
        self.lates: Pool[Late] = Pool()
        self.plans = Plans(self.store, self.memories)
        self.judge = Judge(self.store, self.plans)
        self.changes = Changes(self.store)
        self.fresh = self.memories.number(Kept())

    def start(self) -> Node:
        """Give the state in which everything begins."""
        truth = self.store.number(self.scene.picture(self.store))
        facts = self.judge.facts.number(Facts())
        return Node(truth, truth, memory=self.fresh, facts=facts, budget=self.scene.faults)

    def edges(self, node: Node) -> Iterator[Edge]:
        """Give every move without a fault that may come next."""
        if node.under != NONE:
            # NB: the lease bounds a write so that none is under way once another may lead.
            if node.late == NONE:
                yield self._operate(node)
        elif node.due:
            yield self._look(node)
        else:
            yield from self._wait(node)
        if node.under == NONE and node.view != node.truth:
            caught_up = node._replace(view=node.truth, due=True)
            move = happens("the operator's watches catch up with the cluster")
            yield move, partial(self.tidy, caught_up)
        if node.late != NONE:
            yield self._arrive(node)

    def is_still(self, node: Node) -> bool:
        """Tell whether nothing is under way, and nothing to come but a person or a fault."""
        if node.under != NONE or node.due or node.look != NONE or node.late != NONE:
            return False
        return node.view == node.truth and not self.changes.of(node.truth, By.ITSELF)

    def wrong_rest(self, node: Node) -> list[str]:
        """Give what is wrong with a state in which nothing happens any more."""
        memory = self.memories[node.memory].remembered()
        facts = self.judge.facts[node.facts]
        return list(histories.at_rest(self.store[node.truth], memory, facts))

    # The operator.

    def _look(self, node: Node) -> Edge:
        return Move(Kind.LOOK), partial(self._looked, node)

    def _looked(self, node: Node) -> Node:
        number = self.plans.find(node.view, node.memory)
        if self.plans[number] is None:
            return node._replace(due=False, look=NONE)
        facts = self.judge.decided(node.facts, truth=node.truth, plan=number)
        under = self.unders.number(Under(number, 0))
        return self.over(node._replace(due=False, look=NONE, facts=facts, under=under))

    def over(self, node: Node) -> Node:
        """End a look that has no effects left."""
        under = self.unders[node.under]
        script = self.plans.script(under)
        if under.at < len(script.effects):
            return node
        look = NONE if script.requeue is None else ceil(script.requeue)
        return self.tidy(node._replace(under=NONE, due=node.due or script.again, look=look))

    def _operate(self, node: Node) -> Edge:
        under = self.unders[node.under]
        return Move(Kind.EFFECT, under=under), partial(self.operated, node, under)

    def operated(self, node: Node, under: Under) -> Node:
        """Perform an effect of the look that is under way."""
        done = self._perform(node, under)
        if done.step is None:
            return self.failed(node._replace(memory=done.memory), under)
        ahead = self.unders.number(under._replace(at=under.at + 1))
        view = self._seen(node, done.truth)
        facts = self.judge.performed(node.facts, done, under=under, before=node.truth)
        return self.over(
            node._replace(
                truth=done.truth,
                view=view,
                under=ahead,
                due=node.due or view != node.view,
                memory=done.memory,
                facts=facts,
            )
        )

    def failed(self, node: Node, under: Under) -> Node:
        """Go on after an effect that failed."""
        ahead = Under(under.plan, under.at + 1, (*under.failed, under.at))
        return self.over(node._replace(under=self.unders.number(ahead)))

    def _perform(self, node: Node, under: Under) -> Done:
        return self.plans.perform(under, truth=node.truth, view=node.view, memory=node.memory)

    def _arrive(self, node: Node) -> Edge:
        late = self.lates[node.late]
        return Move(Kind.LATE, under=late.under), partial(self._arrived, node, late)

    def _arrived(self, node: Node, late: Late) -> Node:
        done = self.plans.perform(late.under, truth=node.truth, view=late.view, memory=late.memory)
        arrived = node._replace(late=NONE)
        if done.step is None:
            return self.tidy(arrived)
        facts = self.judge.performed(node.facts, done, under=late.under, before=node.truth)
        return self._came(arrived, done.truth, facts)

    # The cluster.

    def _wait(self, node: Node) -> Iterator[Edge]:
        going = self.changes.of(node.truth, By.ITSELF)
        for change in (*going, *self.changes.of(node.truth, By.LEAVE)):
            yield happens(change.words), partial(self.changed, node, change)
        if going or node.look == NONE or node.late != NONE:
            return
        if node.view == node.truth or node.look <= BRIEF:
            yield happens(f"{node.look} s pass"), partial(self.later, node)

    def later(self, node: Node) -> Node:
        """Let time pass until the operator looks again by itself."""
        return self.tidy(
            node._replace(
                truth=self.store.aged(node.truth, node.look),
                view=self.store.aged(node.view, node.look),
                facts=self.judge.older(node.facts, node.look),
                due=True,
                look=NONE,
            )
        )

    def changed(self, node: Node, change: Change) -> Node:
        """Let the cluster change."""
        facts = self.judge.changed(node.facts, truth=change.truth, course=change.course)
        return self._came(node, change.truth, facts)

    def _came(self, node: Node, truth: int, facts: int) -> Node:
        view = self._seen(node, truth)
        due = node.due or view != node.view
        return self.tidy(node._replace(truth=truth, view=view, due=due, facts=facts))

    def _seen(self, node: Node, truth: int) -> int:
        """Give the view once the watches that do not lag have told of a change."""
        if node.view == node.truth:
            return truth
        view, before, after = self.store[node.view], self.store[node.truth], self.store[truth]
        told = {
            name: getattr(after, name)
            for name in WATCHED
            if getattr(view, name) == getattr(before, name)
        }
        return self.store.number(replace(view, **told))

    def tidy(self, node: Node) -> Node:
        """Name versions anew and forget what no longer matters, where nothing is under way."""
        if node.under != NONE or node.late != NONE:
            return node
        truth, view = self.store.tidied(node.truth, node.view)
        memory = self._pruned(truth, view, node.memory)
        return node._replace(truth=truth, view=view, memory=memory)

    def _pruned(self, truth: int, view: int, memory: int) -> int:
        kept = self.memories[memory]
        if not kept.seen:
            return memory
        statuses = (self.store.status(self.store[number]) for number in (truth, view))
        named = {run_key(status) for status in statuses if status is not None}
        seen = frozenset(one for one in kept.seen if one[0] in named)
        return self.memories.number(kept._replace(seen=seen))
