"""The engine's part in a test run, in the plainest way: plan, perform, wait for news, again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import assert_never

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import OWNER_LABEL
from gatewaycanary.core.observation import RunPhase
from gatewaycanary.core.writes import Create, Delete
from gatewaycanary.helmtests import runs
from gatewaycanary.helmtests.memory import RunMemory
from gatewaycanary.helmtests.render import RunKey
from gatewaycanary.helmtests.steps import Effect, Suite
from gatewaycanary.kube import resources
from gatewaycanary.kube.resources import Object, Resource
from proving.api import Api, RefusedError
from proving.histories import History


@dataclass
class Process:
    """One process that runs a suite in a real namespace; its cache is the history."""

    api: Api
    history: History
    suite: Suite
    key: RunKey
    memory: RunMemory = field(default_factory=RunMemory)

    def run(self, *, timeout: float = 60) -> runs.Plan:
        """Run to the verdict."""
        while True:
            seen = self.watched()
            plan = self.advance()
            if plan.view.phase is not RunPhase.RUNNING:
                return plan
            self._await_news(seen, timeout=timeout)

    def settle(self, recorded: Verdict) -> runs.Plan:
        """Delete what the policies delete once the verdict is recorded."""
        return self.advance(recorded=recorded)

    def advance(self, *, recorded: Verdict | None = None) -> runs.Plan:
        """Perform effects until there is none."""
        while True:
            plan = self.plan(recorded)
            if plan.effect is None:
                return plan
            self._perform(plan.effect)

    def plan(self, recorded: Verdict | None = None) -> runs.Plan:
        """Plan once."""
        services = self.api.list(resources.SERVICE, self.key.namespace)["items"]
        plan = runs.plan(
            self.suite,
            self.key,
            attempt=1,
            objects=self.watched(),
            selectors=[service["spec"].get("selector") for service in services],
            memory=self.memory,
            now=datetime.now(UTC),
            recorded=recorded,
        )
        self.memory = plan.memory
        return plan

    def watched(self) -> dict[tuple[str, str], Object]:
        """Give the Pods and Jobs of the canary, as the watch has told them."""
        return {
            (kind, obj["metadata"]["name"]): obj
            for kind in ("Pod", "Job")
            for obj in self.history.all_current(kind)
            if (obj["metadata"].get("labels") or {}).get(OWNER_LABEL) == self.key.uid
        }

    def _await_news(self, seen: dict[tuple[str, str], Object], *, timeout: float) -> None:
        self.history.wait("news of a test", lambda: self.watched() != seen, timeout=timeout)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Create():
                self._create(effect)
            case Delete():
                self._delete(effect)
            case _:
                assert_never(effect)

    def _create(self, effect: Create) -> None:
        resource = _resource(effect.api_version, effect.kind)
        try:
            answer = self.api.create(resource, dict(effect.manifest), effect.namespace)
        except RefusedError as refused:
            if refused.status != 409:
                raise
            answer = self.api.get(resource, effect.name, effect.namespace)
        self.memory = self.memory.with_object(effect.kind, answer, now=datetime.now(UTC))
        self._await(effect.kind, effect.name, there=True)

    def _delete(self, effect: Delete) -> None:
        resource = _resource(effect.api_version, effect.kind)
        options = {"propagationPolicy": "Background", "preconditions": {"uid": effect.uid}}
        self.memory = self.memory.without(effect.kind, effect.name)
        try:
            self.api.delete(resource, effect.name, effect.namespace, **options)
        except RefusedError as refused:
            # Another object has this name by now: it is met when ours is created.
            if refused.status != 409:
                raise
        else:
            self._await(effect.kind, effect.name, there=False)

    def _await(self, kind: str, name: str, *, there: bool) -> None:
        """Wait until the watch has told of our write: this cache does not take answers in."""

        def told() -> bool:
            return (self.history.current(kind, name) is not None) is there

        self.history.wait(f"{kind} {name}", told, timeout=40)


def _resource(api_version: str, kind: str) -> Resource:
    found = resources.find(api_version, kind)
    assert found is not None
    return found
