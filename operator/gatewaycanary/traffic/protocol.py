"""What a provider must do, and the values it does it with.

A provider reads a route from the cache and builds writes; it sends nothing. Its promises:

- fields that are not ours stay as they are;
- a raise replaces ``/metadata/resourceVersion``, so that it fails if anybody wrote since;
- a withdrawal tests only structure, so that no busy writer can starve it, and carries the mark of
  the failed revision in the same write;
- each write is idempotent: None is returned where the route already says what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import FoundRoute
from gatewaycanary.api.traffic import Subsets
from gatewaycanary.core.lookups import Lookup
from gatewaycanary.core.observation import Meta, Problem, RouteView
from gatewaycanary.core.writes import Object, Write

Kind = tuple[str, str]
"""An apiVersion and a kind."""

Key = tuple[str, str, str]
"""A kind, a namespace and a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteContext:
    """Whose traffic is moved, where and between which Services.

    ``rules``: names of those to be shifted; empty for all that send to stable.
    ``found``: the route before the first raise, where a person holds it; None before that.
    """

    namespace: str
    canary: str
    owner_uid: str
    revision: str
    target: str
    route: str
    stable_service: str
    canary_service: str
    rules: tuple[str, ...] = ()
    subsets: Subsets | None = None
    found: FoundRoute | None = None

    @classmethod
    def of(
        cls,
        spec: GatewayCanarySpec,
        *,
        meta: Meta,
        revision: str,
        found: FoundRoute | None = None,
    ) -> RouteContext:
        """Take what a provider needs from a GatewayCanary."""
        return cls(
            namespace=meta.namespace,
            canary=meta.name,
            owner_uid=meta.uid,
            revision=revision,
            target=spec.target_ref.name,
            route=spec.traffic.route_name,
            stable_service=spec.resolved_stable_service,
            canary_service=spec.resolved_canary_service,
            rules=spec.traffic.rule_names,
            subsets=spec.traffic.subsets,
            found=found,
        )


class Provider(Protocol):
    """One way to move traffic."""

    @property
    def name(self) -> str:
        """Name the provider as the spec's field is called."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Name the kinds that must be watched."""

    def view(self, context: RouteContext, lookup: Lookup) -> RouteView:
        """Read the route."""

    def problems(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what forbids to shift this route."""

    def warnings(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what a person should know before this route is shifted."""

    def raise_weight(self, context: RouteContext, lookup: Lookup, *, weight: int) -> Write | None:
        """Build the write that gives the canary this weight."""

    def withdraw(self, context: RouteContext, lookup: Lookup, *, mark: str) -> Write | None:
        """Build the write of weight 0, marked with the revision where one failed."""

    def restore(self, context: RouteContext, lookup: Lookup) -> Write | None:
        """Build the write that leaves the route as it was found."""

    def disown(self, context: RouteContext, lookup: Lookup) -> Write | None:
        """Build the write that leaves no trace of ours in a person's object but the weights."""

    def keys(self, context: RouteContext) -> tuple[Key, ...]:
        """Name the objects whose changes concern this canary."""

    def related(self, obj: Object) -> tuple[Key, ...]:
        """Name the objects that an event of a route object concerns: itself and its Services."""
