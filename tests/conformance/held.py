"""What the benches of routes that people hold have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from conformance.benches import USER_ROUTE
from conformance.documents import Documents
from conformance.nginx import CONTEXT, NAMESPACE
from gatewaycanary.core.writes import Object, Operation, pointer
from gatewaycanary.traffic.protocol import RouteContext

TEAM = "example.com/team"


class HeldRoute:
    """A route with rules: two send to stable, the last one elsewhere."""

    features = frozenset({USER_ROUTE})
    context: RouteContext = CONTEXT
    context_kind: ClassVar[str]
    rules: ClassVar[str]
    listed: ClassVar[str]

    def route(self, documents: Documents) -> dict[str, Any]:
        """Give the route as stored."""
        found = documents.get(self.context_kind, NAMESPACE, self.context.route)
        assert found is not None
        return found

    def destinations(self, rule: dict[str, Any]) -> list[dict[str, Any]]:
        """Give the destinations of a rule."""
        found = rule[self.listed]
        assert isinstance(found, list)
        return found

    def weight(self, destination: Object, among: int) -> int:
        """Read a weight as routers of this kind do."""
        raise NotImplementedError

    def is_canary(self, destination: Object) -> bool:
        """Tell whether a destination is the canary's."""
        raise NotImplementedError

    def shares(self, documents: Documents) -> Mapping[str, int]:
        """Divide each rule's requests by the weights of its destinations."""
        shares = {}
        for rule in self.route(documents)["spec"][self.rules]:
            found = self.destinations(rule)
            all_of_it = sum(self.weight(one, len(found)) for one in found)
            ours = sum(self.weight(one, len(found)) for one in found if self.is_canary(one))
            kind = "other" if "pay" in str(found) and len(found) == 1 else "stable"
            shares[f"{kind} {rule['name']}"] = 100 * ours // max(all_of_it, 1)
        return shares

    def tamper(self, documents: Documents, spelled: str | None) -> None:
        """Spell the canary's weight in every rule that has it, and stable's to go with it."""
        share = int(spelled) if spelled and spelled.isascii() and spelled.isdigit() else None
        for rule, raw in enumerate(self.route(documents)["spec"][self.rules]):
            found = self.destinations(raw)
            for at, one in enumerate(found if any(map(self.is_canary, found)) else ()):
                spot = pointer("spec", self.rules, rule, self.listed, at, "weight")
                if self.is_canary(one):
                    self._spell(documents, spot, one, spelled)
                elif share is not None and share <= 100:
                    self._spell(documents, spot, one, str(100 - share))

    def _spell(
        self, documents: Documents, spot: str, destination: Object, spelled: str | None
    ) -> None:
        if spelled is not None:
            value = int(spelled) if spelled.isascii() and spelled.isdigit() else spelled
            self._edit(documents, {"op": "add", "path": spot, "value": value})
        elif "weight" in destination:
            self._edit(documents, {"op": "remove", "path": spot})

    def touch(self, documents: Documents) -> None:
        """Annotate the route."""
        path = pointer("metadata", "annotations", TEAM)
        self._edit(documents, {"op": "add", "path": path, "value": "x"})

    def touched(self, documents: Documents) -> bool:
        """Look for the annotation."""
        return bool(self.route(documents)["metadata"]["annotations"].get(TEAM) == "x")

    def _edit(self, documents: Documents, operation: Operation) -> None:
        documents.edit(self.context_kind, NAMESPACE, self.context.route, operation)
