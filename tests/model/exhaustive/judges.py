"""The judge of every move: what was seen, done or changed, with the facts it leaves behind."""

from __future__ import annotations

from collections.abc import Callable

from gatewaycanary.api.status import Status
from model.exhaustive import histories
from model.exhaustive.nodes import Course, Facts, Under
from model.exhaustive.plans import Done, Plans
from model.exhaustive.pools import Pool
from model.exhaustive.stores import Store
from model.pictures import Picture


class Judge:
    """Judge each move once; raise a breach, or give the number of the facts after it."""

    def __init__(self, store: Store, plans: Plans) -> None:
        self.facts: Pool[Facts] = Pool()
        self._store = store
        self._plans = plans
        self._judged: dict[tuple[object, ...], int] = {}

    def decided(self, facts: int, *, truth: int, plan: int) -> int:
        """Judge a look."""

        def judged(picture: Picture, status: Status | None) -> Facts:
            known = self._plans[plan]
            assert known is not None
            events = known.script(()).decision.events
            return histories.decided(self.facts[facts], picture, status, known.observation, events)

        return self._once(("decided", facts, truth, plan), truth, judged)

    def performed(self, facts: int, done: Done, *, under: Under, before: int) -> int:
        """Judge an effect."""

        def judged(_: Picture, status: Status | None) -> Facts:
            assert done.step is not None, "an effect that failed is not judged"
            return histories.performed(self.facts[facts], done.step, status)

        return self._once(("performed", facts, before, done.truth, under), done.truth, judged)

    def changed(self, facts: int, *, truth: int, course: Course) -> int:
        """Judge a change of the cluster."""

        def judged(picture: Picture, status: Status | None) -> Facts:
            known = self.facts[facts]
            worst = known._replace(course=max(known.course, course))
            return histories.changed(worst, picture, status)

        return self._once(("changed", facts, truth, course), truth, judged)

    def disturbed(self, facts: int) -> int:
        """Note that the rollout need not end as if nothing had happened."""
        return self.facts.number(self.facts[facts]._replace(course=Course.DISTURBED))

    def older(self, facts: int, seconds: int) -> int:
        """Let time pass."""
        return self.facts.number(histories.older(self.facts[facts], seconds))

    def _once(
        self,
        key: tuple[object, ...],
        truth: int,
        judged: Callable[[Picture, Status | None], Facts],
    ) -> int:
        found = self._judged.get(key)
        if found is None:
            picture = self._store[truth]
            facts = judged(picture, self._store.status(picture))
            found = self._judged[key] = self.facts.number(facts)
        return found
