"""The rules of a route that a person holds, read in whichever dialect the route is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gatewaycanary.api.status import FoundRoute
from gatewaycanary.core.lookups import items
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import weights
from gatewaycanary.traffic.protocol import RouteContext

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one kind of route spells its rules.

    ``identity``: the path, within a destination, of the name that tells stable from canary.
    ``redirected`` copies stable's destination as the canary's. ``unspelled`` gives the weight that
    a destination has without one, among so many. ``leads_to`` names a destination for people.
    ``setting`` and ``names_setting``: the spec's fields that name the route, and rules of it.
    """

    api_version: str
    kind: str
    rules: str
    destinations: str
    identity: Place
    is_stable: Callable[[Object], bool]
    is_canary: Callable[[Object], bool]
    redirected: Callable[[Object], dict[str, Any]]
    unspelled: Callable[[int], int]
    leads_to: Callable[[Object], str]
    crd: str
    setting: str
    names_setting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination of a rule. ``spelled``: the weight as written; None where there is none."""

    place: Place
    raw: Object
    spelled: object
    weight: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that sends to stable."""

    name: str
    place: Place
    stable: Destination
    canary: Destination | None
    others: tuple[Destination, ...]

    @property
    def field(self) -> str:
        """Spell where it stands, as people do."""
        return spell(self.place)

    @property
    def reading(self) -> weights.Reading:
        """Read the canary's share of the rule."""
        if self.canary is None:
            return weights.Reading(weight=0, text="0 %")
        canary, stable = self.canary.weight, self.stable.weight
        if canary is None or stable is None:
            return weights.Reading(weight=None, text=f"no weights in {self.field}")
        if canary + stable != weights.TOTAL or any(one.weight for one in self.others):
            text = f"{canary} of {canary + stable} in {self.field}"
            return weights.Reading(weight=0 if canary == 0 < stable else None, text=text)
        return weights.Reading(weight=canary, text=f"{canary} %")

    @property
    def key(self) -> str:
        """Name the rule among those of its route."""
        return self.name or self.field


def spell(place: Place) -> str:
    """Spell a place in an object: ``spec.http[0].route``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)[1:]


def rules(route: Object, context: RouteContext, dialect: Dialect) -> tuple[Rule, ...]:
    """Give the rules that are shifted: those that send to stable, or the named among them.

    NB: one that was shifted before its name was taken out of the spec must come home with the rest.
    """
    before = {rule.name for rule in (context.found or FoundRoute()).rules}
    return tuple(
        rule
        for index, raw in items(route.get("spec"), dialect.rules)
        for rule in _rule(raw, ("spec", dialect.rules, index), dialect)
        if not context.rules or rule.name in context.rules or rule.key in before
    )


def _rule(raw: Object, place: Place, dialect: Dialect) -> Iterator[Rule]:
    found = tuple(_destinations(raw, (*place, dialect.destinations), dialect))
    stable = next((one for one in found if dialect.is_stable(one.raw)), None)
    if stable is None:
        return
    canary = next((one for one in found if dialect.is_canary(one.raw)), None)
    name = raw.get("name")
    yield Rule(
        name=name if isinstance(name, str) else "",
        place=place,
        stable=stable,
        canary=canary,
        others=tuple(one for one in found if one is not stable and one is not canary),
    )


def _destinations(raw: Object, place: Place, dialect: Dialect) -> Iterator[Destination]:
    found = items(raw, dialect.destinations)
    for index, one in found:
        spelled = one.get("weight")
        weight = dialect.unspelled(len(found)) if spelled is None else spelled
        valid = isinstance(weight, int) and not isinstance(weight, bool) and weight >= 0
        yield Destination(
            place=(*place, index), raw=one, spelled=spelled, weight=weight if valid else None
        )
