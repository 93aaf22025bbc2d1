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

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from gatewaycanary.api.status import FoundRoute, FoundRule
from gatewaycanary.core import fieldowners
from gatewaycanary.core.lookups import Lookup, fields
from gatewaycanary.core.naming import WITHDRAWN_ANNOTATION
from gatewaycanary.core.observation import RouteView
from gatewaycanary.core.writes import JsonPatch, Object, Operation, Write, pointer
from gatewaycanary.traffic import weights
from gatewaycanary.traffic.held_rules import Destination, Dialect, Rule, rules
from gatewaycanary.traffic.protocol import RouteContext


class HeldProvider(ABC):
    """A provider whose routes people hold; each says in which dialect they are written."""

    @abstractmethod
    def dialect(self, context: RouteContext) -> Dialect:
        """Tell how its routes spell what is shifted."""

    def view(self, context: RouteContext, lookup: Lookup) -> RouteView:
        """Read the route."""
        dialect = self.dialect(context)
        return view(_route(context, lookup, dialect), context, dialect)

    def raise_weight(self, context: RouteContext, lookup: Lookup, *, weight: int) -> Write | None:
        """Build the write that gives the canary this weight in all rules."""
        dialect = self.dialect(context)
        return raise_weight(_route(context, lookup, dialect), context, dialect, weight=weight)

    def withdraw(self, context: RouteContext, lookup: Lookup, *, mark: str) -> Write | None:
        """Build the write of weight 0 in all rules."""
        dialect = self.dialect(context)
        return withdraw(_route(context, lookup, dialect), context, dialect, mark=mark)

    def restore(self, context: RouteContext, lookup: Lookup) -> Write | None:
        """Build the write that leaves the route as it was found."""
        dialect = self.dialect(context)
        return restore(_route(context, lookup, dialect), context, dialect)

    def disown(self, context: RouteContext, lookup: Lookup) -> Write | None:
        """Build the write that gives the rules back to their owner."""
        dialect = self.dialect(context)
        return disown(_route(context, lookup, dialect), context, dialect)


def _route(context: RouteContext, lookup: Lookup, dialect: Dialect) -> Object | None:
    return lookup.get(dialect.kind, context.namespace, context.route)


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
