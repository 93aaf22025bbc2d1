"""A namespace in memory, and the engine's part in a run: to perform effects and tell the planner.

Supporting objects are not watched: the planner learns of them only by the answers to its effects.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import assert_never

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import OWNER_LABEL
from gatewaycanary.core.observation import RunPhase
from gatewaycanary.core.writes import Create, Delete
from gatewaycanary.helmtests import runs
from gatewaycanary.helmtests.memory import RunMemory
from gatewaycanary.helmtests.release import Hook
from gatewaycanary.helmtests.render import RunKey
from gatewaycanary.helmtests.steps import Effect, Suite
from unit.helmtests.objects import KEY, Json, aim, at, condition, ended


@dataclass
class Namespace:
    """All objects, and everything that was done to them, in order."""

    objects: dict[tuple[str, str], Json] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    created: int = 0

    def put(self, kind: str, obj: Json) -> None:
        """Store an object as somebody else would."""
        self.objects[kind, obj["metadata"]["name"]] = obj

    def perform(self, effect: Effect, memory: RunMemory, seconds: float) -> RunMemory:
        """Do what the planner asks for, and remember the answer."""
        match effect:
            case Create():
                return self._create(effect, memory, seconds)
            case Delete():
                self.told.append(("delete", effect.kind, effect.name))
                found = self.objects.get((effect.kind, effect.name))
                if found is not None and found["metadata"]["uid"] == effect.uid:
                    del self.objects[effect.kind, effect.name]
                return memory.without(effect.kind, effect.name)
        assert_never(effect)

    def _create(self, effect: Create, memory: RunMemory, seconds: float) -> RunMemory:
        key = (effect.kind, effect.name)
        if key not in self.objects:
            self.created += 1
            self.told.append(("create", *key))
            obj = deepcopy(dict(effect.manifest))
            obj["metadata"]["uid"] = f"uid-{self.created}"
            if effect.kind in ("Pod", "Job"):
                obj["status"] = {"phase": "Pending"}
            self.objects[key] = obj
        return memory.with_object(effect.kind, self.objects[key], now=at(seconds))

    def watched(self, uid: str) -> dict[tuple[str, str], Json]:
        """Give the Pods and Jobs that carry the owner's label."""
        return {
            (kind, name): obj
            for (kind, name), obj in self.objects.items()
            if kind in ("Pod", "Job") and obj["metadata"]["labels"].get(OWNER_LABEL) == uid
        }

    def finish(self, *, code: int = 0, kind: str = "", name: str = "") -> None:
        """Let every test that runs end with this code, or only the named one."""
        for (each, found), obj in self.objects.items():
            if (kind or each) == each and (name or found) == found:
                if each == "Pod" and obj["status"]["phase"] in ("Pending", "Running"):
                    phase = "Succeeded" if code == 0 else "Failed"
                    obj["status"] = {"phase": phase, "containerStatuses": [ended(code=code)]}
                if each == "Job" and not obj["status"].get("conditions"):
                    ends = "Complete" if code == 0 else "Failed"
                    failed = condition(ends, reason="" if code == 0 else "DeadlineExceeded")
                    obj["status"] = {"conditions": [failed]}

    def names(self, kind: str) -> list[str]:
        """Name the objects of a kind."""
        return [name for each, name in self.objects if each == kind]


@dataclass
class Session:
    """One process that runs a suite's tests."""

    namespace: Namespace
    hooks: tuple[Hook, ...]
    key: RunKey = KEY
    memory: RunMemory = field(default_factory=RunMemory)
    release: str = "shop"
    attempt: int = 1

    def plan(self, seconds: float = 10, *, recorded: Verdict | None = None) -> runs.Plan:
        """Plan once, with what is watched."""
        plan = runs.plan(
            Suite(release=self.release, hooks=self.hooks, aim=aim()),
            self.key,
            attempt=self.attempt,
            objects=deepcopy(self.namespace.watched(self.key.uid)),
            selectors=[{"app": "gateway"}],
            memory=self.memory,
            now=at(seconds),
            recorded=recorded,
        )
        self.memory = plan.memory
        return plan

    def step(self, seconds: float = 10, *, recorded: Verdict | None = None) -> runs.Plan:
        """Plan, and perform the effect if there is one."""
        plan = self.plan(seconds, recorded=recorded)
        if plan.effect is not None:
            self.memory = self.namespace.perform(plan.effect, self.memory, seconds)
        return plan

    def drive(self, seconds: float = 10, *, recorded: Verdict | None = None) -> runs.Plan:
        """Perform effects until there is none."""
        for _ in range(100):
            plan = self.step(seconds, recorded=recorded)
            if plan.effect is None:
                return plan
        raise AssertionError("the planner never comes to an end")

    def run(self, outcomes: dict[str, int] | None = None) -> runs.Plan:
        """Run all tests; each ends with the code given for its hook, or 0."""
        for _ in range(100):
            plan = self.drive()
            if plan.view.phase is not RunPhase.RUNNING:
                return plan
            running = plan.view.results[-1].name
            self.namespace.finish(code=(outcomes or {}).get(running, 0))
        raise AssertionError("the run never ends")
