"""What a provider brings to be tried: its objects, its router's reading of them, its troubles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from conformance.documents import Documents
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic.protocol import Provider, RouteContext

OWNED_ROUTE = "owned-route"
"""The weight stands in an object of ours, which is gone at rest."""

USER_ROUTE = "user-route"
"""The weight stands in an object that a person holds."""

SPELLED = "spelled-weight"
"""The weight is a text, which people may spell in any way."""


class Bench(Protocol):
    """One provider on the bench."""

    @property
    def name(self) -> str:
        """Name the provider as the spec's field is called."""

    @property
    def features(self) -> frozenset[str]:
        """Name what only some providers have."""

    @property
    def provider(self) -> Provider:
        """Give the provider."""

    @property
    def context(self) -> RouteContext:
        """Say whose traffic is moved."""

    def manifests(self) -> Sequence[Object]:
        """Give the user's objects before a rollout, with fields that are none of our business."""

    def shares(self, documents: Documents) -> Mapping[str, int]:
        """Give the percentage of requests that the router sends to the canary, for each place.

        Places that lead to the stable Service are called ``stable…``, all others ``other…``.
        """

    def tamper(self, documents: Documents, spelled: str | None) -> None:
        """Spell the canary's weight by hand; None takes it away."""

    def touch(self, documents: Documents) -> None:
        """Change something else in the object that carries the weight."""

    def touched(self, documents: Documents) -> bool:
        """Tell whether that change still stands."""


@runtime_checkable
class HeldBench(Bench, Protocol):
    """A provider whose routes people hold."""

    rules: str
    """The field of the route's spec that holds its rules."""

    context_kind: str
    """The kind of the route."""

    def route(self, documents: Documents) -> dict[str, Any]:
        """Give the route as stored."""

    def canary_destination(self, *, weight: int) -> dict[str, Any]:
        """Write our destination as a user would who brings it along."""

    def foreign_destination(self) -> dict[str, Any]:
        """Write a destination that is neither stable nor the canary."""

    def destinations(self, rule: dict[str, Any]) -> list[dict[str, Any]]:
        """Give the destinations of a rule."""
