"""Routes that a person holds: only weights are moved, in place, and all is left as found.

A rule is one place where requests are told apart and shared among destinations: an HTTP route of a
VirtualService, a rule of an HTTPRoute. What they are called differs; what is done to them does not,
so each provider gives its ``Dialect`` and the work is done here.

A rule is ours to shift if it sends to stable. The first raise puts our destination beside stable's
(a copy of it, so that ports, headers and filters hold for both), or takes the one that is there.
NB: without our destination a route is as its owner wrote it, so a tool that applied it again is
drift. What a revert leaves is known by the mark that comes in the same write as its weight 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewaycanary.api.status import FoundRoute, FoundRule
from gatewaycanary.core import fieldowners
from gatewaycanary.core.lookups import fields
from gatewaycanary.core.naming import WITHDRAWN_ANNOTATION
from gatewaycanary.core.observation import RouteView
from gatewaycanary.core.writes import JsonPatch, Object, Operation, pointer
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


def items(holder: object, field: str) -> list[tuple[int, Mapping[str, Any]]]:
    """Give the objects of a list with their places, whatever a stored object really holds there."""
    found = fields(holder).get(field)
    held = found if isinstance(found, list) else []
    return [(index, one) for index, one in enumerate(held) if isinstance(one, Mapping)]


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


def view(route: Object | None, context: RouteContext, dialect: Dialect) -> RouteView:
    """Read the route."""
    if route is None:
        return RouteView(present=False, user_held=True)
    shifted = rules(route, context, dialect)
    now = found(route, shifted, dialect)
    attached = any(rule.canary for rule in shifted)
    read = _together(shifted) if attached else _NOTHING
    claimed = fieldowners.claims(route)
    return RouteView(
        attached=attached,
        weight=read.weight,
        text=read.text,
        withdrawn=str(_annotations(route).get(WITHDRAWN_ANNOTATION, "")),
        zero_at_start=any(rule.attached for rule in (context.found or now).rules),
        version=_version(route),
        user_held=True,
        found=now,
        claimed=claimed,
        left=claimed or restore(route, context, dialect) is not None,
    )


def _version(route: Object) -> str:
    """Tell one content from another; gateways that write the status do not change it."""
    metadata = route["metadata"]
    return str(metadata.get("generation") or metadata.get("resourceVersion", ""))


_NOTHING = weights.Reading(weight=None, text="no destination of the canary")


def _together(shifted: tuple[Rule, ...]) -> weights.Reading:
    read = {rule.reading.weight for rule in shifted}
    if len(read) == 1:
        return shifted[0].reading
    text = ", ".join(f"{rule.reading.text} in {rule.key}" for rule in shifted)
    return weights.Reading(weight=None, text=text)


def _annotations(route: Object) -> Mapping[str, Any]:
    return fields(route["metadata"].get("annotations"))


def found(route: Object, shifted: tuple[Rule, ...], dialect: Dialect) -> FoundRoute:
    """Note what the rules say, and who holds them."""
    return FoundRoute(
        rules=tuple(
            FoundRule(
                name=rule.key,
                stable=_spelled(rule.stable),
                canary=_spelled(rule.canary),
                attached=rule.canary is not None,
            )
            for rule in shifted
        ),
        owners=fieldowners.owners(route, "spec", dialect.rules),
    )


def _spelled(destination: Destination | None) -> int | None:
    if destination is None or destination.spelled is None:
        return None
    return destination.weight


def raise_weight(
    route: Object | None, context: RouteContext, dialect: Dialect, *, weight: int
) -> JsonPatch | None:
    """Build the write that gives the canary this weight in every rule, all or none."""
    if route is None:
        return None
    shifted = rules(route, context, dialect)
    if any(one.weight != 0 for rule in shifted for one in rule.others):
        return None
    changes = [each for rule in shifted for each in _shares(rule, dialect, weight=weight)]
    mark = _annotations(route).get(WITHDRAWN_ANNOTATION, context.revision)
    if mark != context.revision:
        changes.append({"op": "remove", "path": _MARK})
    return _guarded(route, dialect, changes)


_MARK = pointer("metadata", "annotations", WITHDRAWN_ANNOTATION)


def _shares(rule: Rule, dialect: Dialect, *, weight: int) -> Iterator[Operation]:
    yield from _weigh(rule.stable, weights.TOTAL - weight)
    if rule.canary is not None:
        yield from _weigh(rule.canary, weight)
        return
    added = {**dialect.redirected(rule.stable.raw), "weight": weight}
    yield {"op": "add", "path": pointer(*rule.place, dialect.destinations, "-"), "value": added}


def _weigh(destination: Destination, weight: int | None) -> Iterator[Operation]:
    if destination.spelled == weight:
        return
    if weight is None:
        yield {"op": "remove", "path": pointer(*destination.place, "weight")}
    else:
        yield _weight(destination, weight)


def _weight(destination: Destination, weight: int) -> Operation:
    return {"op": "add", "path": pointer(*destination.place, "weight"), "value": weight}


def withdraw(
    route: Object | None, context: RouteContext, dialect: Dialect, *, mark: str
) -> JsonPatch | None:
    """Build the write of weight 0, which holds whatever else was written meanwhile."""
    shifted = () if route is None else rules(route, context, dialect)
    attached = [rule for rule in shifted if rule.canary is not None]
    if route is None or not attached:
        return None
    marking = _marking(route, mark) if mark else []
    shares = [each for rule in attached for each in _withdrawn(rule)]
    if not marking and all(one.spelled == weight for one, weight in shares):
        return None
    guards = [_guard(one, dialect) for one, _ in shares]
    # NB: all of them, even where the cache reads so: this write is not guarded by a version.
    zeroing = [_weight(one, weight) for one, weight in shares]
    return _patch(route, dialect, [*guards, *zeroing, *marking])


def _withdrawn(rule: Rule) -> Iterator[tuple[Destination, int]]:
    """Give stable all that it and the canary have together."""
    taken = sum(one.weight or 0 for one in rule.others)
    yield rule.stable, max(weights.TOTAL - taken, 0)
    if rule.canary is not None:
        yield rule.canary, 0


def _guard(destination: Destination, dialect: Dialect) -> Operation:
    value: Any = destination.raw
    for part in dialect.identity:
        value = value[part]
    return {"op": "test", "path": pointer(*destination.place, *dialect.identity), "value": value}


def _marking(route: Object, mark: str) -> list[Operation]:
    found = route["metadata"].get("annotations")
    if fields(found).get(WITHDRAWN_ANNOTATION) == mark:
        return []
    if not found:
        # NB: without the test, annotations that came meanwhile would be swept away.
        path = pointer("metadata", "annotations")
        value = {WITHDRAWN_ANNOTATION: mark}
        return [
            {"op": "test", "path": path, "value": None},
            {"op": "add", "path": path, "value": value},
        ]
    return [{"op": "add", "path": _MARK, "value": mark}]


def restore(route: Object | None, context: RouteContext, dialect: Dialect) -> JsonPatch | None:
    """Build the write that leaves the rules as they were found."""
    if route is None:
        return None
    changes: list[Operation] = []
    if context.found is not None:
        before = {rule.name: rule for rule in context.found.rules}
        for rule in rules(route, context, dialect):
            changes += _as_found(rule, before.get(rule.key, FoundRule()))
    if WITHDRAWN_ANNOTATION in _annotations(route):
        changes.append({"op": "remove", "path": _MARK})
    return _guarded(route, dialect, changes)


def _as_found(rule: Rule, before: FoundRule) -> Iterator[Operation]:
    if rule.canary is None:
        return
    yield from _weigh(rule.stable, before.stable)
    if before.attached:
        yield from _weigh(rule.canary, before.canary)
    else:
        yield {"op": "remove", "path": pointer(*rule.canary.place)}


def disown(route: Object | None, context: RouteContext, dialect: Dialect) -> JsonPatch | None:
    """Build the write that gives the rules back to whoever held them."""
    if route is None:
        return None
    return fieldowners.disown_patch(
        route,
        api_version=dialect.api_version,
        kind=dialect.kind,
        held=("spec", dialect.rules),
        owners=(context.found or FoundRoute()).owners,
    )


def _guarded(route: Object, dialect: Dialect, changes: list[Operation]) -> JsonPatch | None:
    if not changes:
        return None
    version = route["metadata"]["resourceVersion"]
    guard = {"op": "replace", "path": "/metadata/resourceVersion", "value": version}
    return _patch(route, dialect, [guard, *changes])


def _patch(route: Object, dialect: Dialect, operations: list[Operation]) -> JsonPatch:
    return JsonPatch(
        api_version=dialect.api_version,
        kind=dialect.kind,
        namespace=route["metadata"]["namespace"],
        name=route["metadata"]["name"],
        operations=tuple(operations),
    )
