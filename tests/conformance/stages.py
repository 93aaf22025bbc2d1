"""A bench set up for one case: documents, and the provider's verbs on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from conformance.benches import Bench
from conformance.documents import Documents
from gatewaycanary.api.status import FoundRoute
from gatewaycanary.core.observation import Problem, RouteView
from gatewaycanary.core.writes import Write
from gatewaycanary.traffic.protocol import RouteContext


@dataclass(kw_only=True)
class Stage:
    """The user's objects as documents, and what the provider does to them."""

    bench: Bench
    documents: Documents = field(init=False)
    found: FoundRoute | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.documents = Documents(self.bench.manifests())

    @property
    def context(self) -> RouteContext:
        """Say whose traffic is moved, with what the status holds of the route."""
        return replace(self.bench.context, found=self.found)

    @property
    def view(self) -> RouteView:
        """Read the route."""
        return self.bench.provider.view(self.context, self.documents)

    def raising(self, weight: int) -> Write | None:
        """Build a raise; what a person's route said before is noted first, as the core does."""
        view = self.view
        if view.pristine:
            self.found = view.found
        return self.bench.provider.raise_weight(self.context, self.documents, weight=weight)

    def withdrawing(self, mark: str = "") -> Write | None:
        """Build a withdrawal."""
        return self.bench.provider.withdraw(self.context, self.documents, mark=mark)

    def problems(self) -> list[Problem]:
        """Tell what forbids to shift the route."""
        return list(self.bench.provider.problems(self.context, self.documents))

    def raise_to(self, weight: int) -> bool:
        """Raise, and tell whether that took a write."""
        return self._take(self.raising(weight))

    def withdraw(self, mark: str = "") -> bool:
        """Withdraw, and tell whether that took a write."""
        return self._take(self.withdrawing(mark))

    def restore(self) -> bool:
        """Restore, and tell whether that took a write."""
        taken = self._take(self.bench.provider.restore(self.context, self.documents))
        self.found = None
        return taken

    def shares(self) -> tuple[set[int], set[int]]:
        """Give the canary's shares at stable's places, and at all others."""
        found = self.bench.shares(self.documents)
        stable = {share for place, share in found.items() if place.startswith("stable")}
        other = {share for place, share in found.items() if not place.startswith("stable")}
        return stable, other

    def of_revision(self, revision: str) -> RouteView:
        """Raise to 5 for another rollout and read the route."""
        context = replace(self.context, revision=revision)
        self._take(self.bench.provider.raise_weight(context, self.documents, weight=5))
        return self.bench.provider.view(context, self.documents)

    def _take(self, write: Write | None) -> bool:
        if write is not None:
            self.documents.apply(write)
        return write is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One promise: ``check`` asserts it on any bench that has the features."""

    name: str
    check: Callable[[Stage], None]
    features: frozenset[str] = frozenset()
