"""A bench set up for one case: documents, and the provider's verbs on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from conformance.benches import Bench
from conformance.documents import Documents
from gatewaycanary.core.observation import RouteView
from gatewaycanary.core.writes import Write


@dataclass(kw_only=True)
class Stage:
    """The user's objects as documents, and what the provider does to them."""

    bench: Bench
    documents: Documents = field(init=False)

    def __post_init__(self) -> None:
        self.documents = Documents(self.bench.manifests())

    @property
    def view(self) -> RouteView:
        """Read the route."""
        return self.bench.provider.view(self.bench.context, self.documents)

    def raising(self, weight: int) -> Write | None:
        """Build a raise."""
        return self.bench.provider.raise_weight(self.bench.context, self.documents, weight=weight)

    def withdrawing(self, mark: str = "") -> Write | None:
        """Build a withdrawal."""
        return self.bench.provider.withdraw(self.bench.context, self.documents, mark=mark)

    def raise_to(self, weight: int) -> bool:
        """Raise, and tell whether that took a write."""
        return self._take(self.raising(weight))

    def withdraw(self, mark: str = "") -> bool:
        """Withdraw, and tell whether that took a write."""
        return self._take(self.withdrawing(mark))

    def restore(self) -> bool:
        """Restore, and tell whether that took a write."""
        return self._take(self.bench.provider.restore(self.bench.context, self.documents))

    def shares(self) -> tuple[set[int], set[int]]:
        """Give the canary's shares at stable's places, and at all others."""
        found = self.bench.shares(self.documents)
        stable = {share for place, share in found.items() if place.startswith("stable")}
        other = {share for place, share in found.items() if not place.startswith("stable")}
        return stable, other

    def of_revision(self, revision: str) -> RouteView:
        """Raise to 5 for another rollout and read the route."""
        context = replace(self.bench.context, revision=revision)
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
