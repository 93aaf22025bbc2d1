"""Routes that a person holds, read without the operator's code: VirtualServices and HTTPRoutes.

A GatewayCanary's spec claims such a route: it names the object, the Services behind it, and
perhaps the rules or the subsets. All readings here are of an object and a claim.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gatewaycanary.core.naming import FIELD_MANAGER, WITHDRAWN_ANNOTATION
from gatewaycanary.kube.resources import Object

HELD = {"VirtualService", "HTTPRoute"}
"""The kinds of routes that are edited in place."""

Side = Literal["stable", "canary", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a GatewayCanary says of a route that a person holds.

    ``owner`` is its uid, ``names`` are the rules to shift (empty: all that send to stable) and
    ``subsets`` those of stable and canary in a mesh with one host.
    """

    owner: str
    kind: str
    route: str
    stable: str
    canary: str
    names: tuple[str, ...] = ()
    subsets: tuple[str, str] | None = None

    @classmethod
    def of(cls, canary: Object) -> Claim | None:
        """Read the claim of a GatewayCanary; None where its route is no person's."""
        traffic = canary["spec"].get("traffic") or {}
        named = traffic.get("istio") or traffic.get("gatewayAPI")
        if named is None:
            return None
        stable, ours = services(canary)
        subsets = named.get("subsets")
        return cls(
            owner=canary["metadata"].get("uid", ""),
            kind="VirtualService" if "istio" in traffic else "HTTPRoute",
            route=named.get("virtualService") or named.get("httpRoute") or "",
            names=tuple(named.get("routes") or named.get("rules") or ()),
            subsets=(subsets["stable"], subsets["canary"]) if subsets else None,
            stable=stable,
            canary=ours,
        )

    @property
    def key(self) -> tuple[str, str]:
        """Name the claimed object by kind and name."""
        return self.kind, self.route

    def side(self, destination: Object) -> Side:
        """Tell to which side a destination leads."""
        service, subset = _named(destination, self.kind)
        if self.subsets is None:
            return "stable" if service == self.stable else _canary(service == self.canary)
        if service != self.stable:
            return "other"
        return "stable" if subset == self.subsets[0] else _canary(subset == self.subsets[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one rule gives to each side; None where the side is not in it."""

    rule: str
    stable: int
    canary: int | None
    others: int


def services(canary: Object) -> tuple[str, str]:
    """Name the stable and the canary Service of a GatewayCanary."""
    target = canary["spec"]["targetRef"]["name"]
    service = canary["spec"].get("service") or {}
    return service.get("stable", target), service.get("canary", f"{target}-canary")


def shares(item: Object, claim: Claim) -> list[Share]:
    """Read every rule that the claim shifts."""
    return [_share(rule, number, claim) for number, rule in _shifted(item, claim)]


def weight(item: Object, claim: Claim) -> int | None:
    """Read the canary's weight, the greatest of all rules; None where it is in none."""
    found = [each.canary for each in shares(item, claim) if each.canary is not None]
    return max(found, default=None)


def claimed(item: Object) -> bool:
    """Tell whether an entry of ours stands in the object's managedFields."""
    entries = item["metadata"].get("managedFields") or []
    return any(each.get("manager") == FIELD_MANAGER for each in entries)


def content(item: Object) -> Object:
    """Give what people and tools wrote: without versions, owners, status and our mark."""
    copied = copy.deepcopy(item)
    copied.pop("status", None)
    for field in ("resourceVersion", "generation", "managedFields"):
        copied["metadata"].pop(field, None)
    notes = copied["metadata"].get("annotations") or {}
    notes.pop(WITHDRAWN_ANNOTATION, None)
    if not notes:
        copied["metadata"].pop("annotations", None)
    return copied


def skeleton(item: Object, claim: Claim) -> Object:
    """Give the content less all that a rollout may change: our destination and the weights."""
    bare = content(item)
    for _, rule in _shifted(bare, claim):
        field = _DESTINATIONS[claim.kind]
        kept = [each for each in rule[field] if claim.side(each) != "canary"]
        for each in kept:
            if claim.side(each) == "stable":
                each.pop("weight", None)
        rule[field] = kept
    return bare


def owners(item: Object) -> list[Object]:
    """Give the entries of managedFields, those of the status left out."""
    entries = item["metadata"].get("managedFields") or []
    return [each for each in entries if each.get("subresource") != "status"]


_RULES = {"VirtualService": "http", "HTTPRoute": "rules"}
_DESTINATIONS = {"VirtualService": "route", "HTTPRoute": "backendRefs"}


def _shifted(item: Object, claim: Claim) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, rule in enumerate((item.get("spec") or {}).get(_RULES[claim.kind]) or []):
        destinations = rule.get(_DESTINATIONS[claim.kind]) or []
        chosen = not claim.names or rule.get("name") in claim.names
        if chosen and any(claim.side(each) == "stable" for each in destinations):
            yield number, rule


def _named(destination: Object, kind: str) -> tuple[str, str | None]:
    if kind == "HTTPRoute":
        return str(destination.get("name", "")), None
    named = destination.get("destination") or {}
    return str(named.get("host", "")).partition(".")[0], named.get("subset")


def _canary(it_is: bool) -> Side:
    return "canary" if it_is else "other"


def _share(rule: dict[str, Any], number: int, claim: Claim) -> Share:
    destinations = rule[_DESTINATIONS[claim.kind]]
    unspelled = _unspelled(claim.kind, among=len(destinations))
    given: dict[Side, list[int]] = {"stable": [], "canary": [], "other": []}
    for each in destinations:
        given[claim.side(each)].append(each.get("weight", unspelled))
    return Share(
        rule=rule.get("name") or f"rule {number}",
        stable=sum(given["stable"]),
        canary=sum(given["canary"]) if given["canary"] else None,
        others=sum(given["other"]),
    )


def _unspelled(kind: str, *, among: int) -> int:
    if kind == "HTTPRoute":
        return 1
    return 100 if among == 1 else 0
