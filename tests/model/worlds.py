"""A cluster, a clock, replicas of the operator and the watcher of the invariants, together.

``settle`` runs everything until nothing is left to do. Replicas are woken only as the engine would
wake them: by an event, an error, or the deadline that the decision asked for; time jumps to the
next deadline. So a decision that forgets to ask for a look again is found out here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Status, parse_status
from gatewaycanary.core.decision import Decision
from gatewaycanary.core.observation import Observation, Problem
from model import invariants, judgements
from model.cluster import Cluster
from model.ledgers import Ledger
from model.observing import FAILED, PASSED, RUNNING, true_moment
from model.pictures import Picture, Resource, Route, RunKey, Scaler, Stable
from model.replicas import Replica, Step
from model.specs import V1, spec

ROUNDS = 3000


@dataclass(slots=True, kw_only=True)
class Reaction:
    """Something that happens in the cluster once a condition holds."""

    when: Callable[[World], bool]
    then: Callable[[World], None]


class World:
    """One GatewayCanary's world."""

    def __init__(
        self,
        wanted: GatewayCanarySpec | None = None,
        *,
        stable_image: str = V1,
        replicas: int = 3,
        scaler: Scaler | None = None,
        held: bool = False,
    ) -> None:
        self.cluster = Cluster(
            Picture(
                resource=Resource(spec=wanted or spec()),
                stable=Stable(image=stable_image, replicas=replicas, ready=replicas),
                stable_ready=replicas,
                scaler=scaler,
                route=Route(held=held),
            )
        )
        self.seconds = 0.0
        self.offset = 0.0
        self.route_writable = True
        self.verdict: Callable[[RunKey], str | None] = failing_at(0)
        self.steps: list[Step] = []
        self.pauses = 0
        self.crash_at: int | None = None
        self.depose_at: int | None = None
        self.late: Replica | None = None
        self.reactions: list[Reaction] = []
        self.ledger = Ledger(seconds=lambda: self.seconds)
        self.cluster.watchers.append(self._changed)
        self.operator = self.replica()

    def replica(self) -> Replica:
        """Bring up a replica of the operator."""
        return Replica(
            self.cluster,
            clock=self.clock,
            route_writable=lambda: self.route_writable,
            decided=self._decided,
            performed=self._performed,
        )

    def clock(self) -> datetime:
        """Read the clock that the operator sees."""
        return true_moment(self.seconds + self.offset)

    def now(self) -> Picture:
        """Give the truth."""
        return self.cluster.now

    def status(self) -> Status:
        """Give the stored status."""
        resource = self.cluster.now.resource
        assert resource is not None, "the GatewayCanary is gone"
        return parse_status(resource.status)

    def route_reads(self) -> int | None:
        """Give the weight in the route; 0 without our destination."""
        route = self.cluster.now.route
        return route.weight if route.attached else 0

    def _changed(self, picture: Picture) -> None:
        self.ledger.changed(picture)
        for told in invariants.traffic_outlives_no_canary(self.ledger, picture):
            raise AssertionError(told)

    def _decided(self, observation: Observation, decision: Decision) -> None:
        told = list(judgements.faults(observation, decision))
        assert not told, f"{told} in {decision.summary!r} on {observation.status.state}"
        self.ledger.decided(observation)
        for event in decision.events:
            self.ledger.told(event)

    def _performed(self, step: Step) -> None:
        self.steps.append(step)
        told = list(invariants.breaches(self.ledger, step))
        self.ledger.performed(step)
        assert not told, (
            f"{told} by {type(step.effect).__name__} in {step.observation.status.state}"
        )

    def contradict(self, *problems: Problem) -> None:
        """Let these things contradict the spec, and no others."""
        self.cluster.change(problems=problems)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds

    def judge_tests(self) -> bool:
        """Let one running test hook come to its verdict; tell whether there was one."""
        for key, hooks in self.cluster.now.runs:
            for at, state in enumerate(hooks):
                verdict = self.verdict(key) if state == RUNNING else None
                if verdict is not None:
                    self.conclude(key, at, verdict)
                    return True
        return False

    def conclude(self, key: RunKey, hook: int, verdict: str) -> None:
        """Give a test hook its verdict."""
        hooks = list(self.cluster.now.hooks(key))
        hooks[hook] = verdict
        self.cluster.change(runs=self.cluster.now.with_hooks(key, tuple(hooks)))

    def settle(self, *, until: Callable[[], bool] = lambda: False, frozen: bool = False) -> None:
        """Run until nothing is left to do, or until a condition holds.

        ``frozen``: pods and tests stay as they are; only the operator and time go on.
        """
        for _ in range(ROUNDS):
            if until():
                return
            self.operator.view.catch_up()
            self._react()
            if self.operator.is_due():
                self._operate()
            elif not self._of_itself(frozen=frozen) and not self._wait():
                return
        last = [type(step.effect).__name__ for step in self.steps[-8:]]
        message = f"no end after {ROUNDS} rounds: {self.cluster.now.resource}, lately {last}"
        raise AssertionError(message)

    def on(self, when: Callable[[World], bool], then: Callable[[World], None]) -> None:
        """Let something happen, once, when a condition holds."""
        self.reactions.append(Reaction(when=when, then=then))

    def _react(self) -> None:
        for reaction in tuple(self.reactions):
            if reaction.when(self):
                self.reactions.remove(reaction)
                reaction.then(self)

    def _operate(self) -> None:
        while self.operator.pause() is not None:
            self.pauses += 1
            self._react()
            if self.pauses == self.crash_at:
                self.operator.restart()
                return
            if self.pauses == self.depose_at:
                self.late, self.operator = self.operator, self.replica()
                return

    def _of_itself(self, *, frozen: bool) -> bool:
        return not frozen and (self.cluster.progress(self.clock()) or self.judge_tests())

    def _wait(self) -> bool:
        due = self.operator.look_again_at
        if due is None:
            return False
        self.pass_time(max(0.0, (due - self.clock()) / timedelta(seconds=1)))
        return True

    def run_to(self, condition: Callable[[Status], bool]) -> None:
        """Run until the stored status fulfils a condition, and assert that it came to that."""
        self.settle(until=lambda: self._holds(condition))
        assert self._holds(condition), f"it never came to that: {self.now()}"

    def _holds(self, condition: Callable[[Status], bool]) -> bool:
        return self.cluster.now.resource is not None and condition(self.status())


def failing_at(weight: int) -> Callable[[RunKey], str | None]:
    """Let the tests fail at this weight, and pass at every other."""
    return lambda key: FAILED if key.weight == weight else PASSED


def hanging_at(weight: int) -> Callable[[RunKey], str | None]:
    """Let the tests hang at this weight, and pass at every other."""
    return lambda key: None if key.weight == weight else PASSED
