"""The judges of routes that a person holds: a proper course passes, each breach is caught."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gatewaycanary.core.naming import WITHDRAWN_ANNOTATION
from proving import holdings, invariants, routes, timelines
from proving.histories import Record
from proving.routes import Claim

UID = "u-1"
HELM = {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {}}}
OURS = {"manager": "gatewaycanary", "operation": "Update"}
TRAFFIC: dict[str, dict[str, Any]] = {
    "VirtualService": {"istio": {"virtualService": "shop"}},
    "HTTPRoute": {"gatewayAPI": {"httpRoute": "shop"}},
}


def destination(kind: str, service: str, weight: int | None) -> dict[str, Any]:
    """Build one destination."""
    spelled = {} if weight is None else {"weight": weight}
    if kind == "HTTPRoute":
        return {"name": service, "port": 80, **spelled}
    return {"destination": {"host": f"{service}.shop.svc.cluster.local"}, **spelled}


def spec(kind: str, *weights: int | None, timeout: str = "3s") -> dict[str, Any]:
    """Build a route's spec: one rule for stable and, where given, the canary; one for others."""
    services = ("gateway", "gateway-canary", "gateway-spare")
    found = [
        destination(kind, service, weight)
        for service, weight in zip(services, weights, strict=False)
    ]
    other = [destination(kind, "elsewhere", None)]
    if kind == "HTTPRoute":
        return {"rules": [{"backendRefs": found, "timeouts": timeout}, {"backendRefs": other}]}
    return {"http": [{"route": found, "timeout": timeout}, {"route": other}]}


def route(
    version: int,
    kind: str,
    *weights: int | None,
    ours: bool = False,
    mark: str = "",
    **further: Any,
) -> Record:
    """Build a stored route."""
    metadata: dict[str, Any] = {
        "name": "shop",
        "resourceVersion": str(version),
        "managedFields": [HELM, *([OURS] if ours else [])],
    }
    if mark:
        metadata["annotations"] = {WITHDRAWN_ANNOTATION: mark}
    item = {"kind": kind, "metadata": metadata, "spec": spec(kind, *weights, **further)}
    return Record(version=version, at=float(version), kind=kind, name="shop", object=item)


def canary(version: int, kind: str, stage: str = "Ramping", **state: Any) -> Record:
    """Build a stored GatewayCanary."""
    item = {
        "metadata": {"name": "gateway", "uid": UID},
        "spec": {"targetRef": {"name": "gateway"}, "traffic": TRAFFIC[kind]},
        "status": {"state": {"stage": stage, "revision": "r-1", **state}},
    }
    return Record(
        version=version, at=float(version), kind="GatewayCanary", name="gateway", object=item
    )


def proper(kind: str) -> list[Record]:
    """Give a course as it must be, in which a release tool resets the route once."""
    return [
        route(1, kind, None),
        canary(2, kind, announced=50),
        route(10, kind, 50, 50, ours=True),
        route(11, kind, 50, 50),
        route(12, kind, None, timeout="5s"),
        route(13, kind, 50, 50, ours=True, timeout="5s"),
        route(14, kind, 50, 50, timeout="5s"),
        canary(15, kind, announced=0),
        route(16, kind, 100, 0, ours=True, timeout="5s", mark="r-1"),
        route(17, kind, None, ours=True, timeout="5s"),
        route(18, kind, None, timeout="5s"),
        canary(20, kind, "Resting", announced=0),
    ]


def with_these(kind: str, *records: Record, without: Sequence[int] = ()) -> list[Record]:
    """Put records into the proper course; one of the same version replaces what was there."""
    versions = {each.version for each in records} | set(without)
    kept = [each for each in proper(kind) if each.version not in versions]
    return sorted([*kept, *records], key=lambda each: each.version)


KINDS = sorted(routes.HELD)
Judge = Callable[[Sequence[Record]], list[str]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_proper_course_breaks_nothing(kind: str) -> None:
    """No judge complains, and the weights are followed whoever wrote them."""
    judges: tuple[Judge, ...] = (
        holdings.unbalanced_weights,
        holdings.meddled_routes,
        holdings.routes_not_as_found,
        holdings.traces_at_rest,
    )
    assert [told for judge in judges for told in judge(proper(kind))] == []
    shifts = list(timelines.shifts(proper(kind)))
    assert [shift.after for shift in shifts] == [50, 0, 50, 0]
    assert [shift.foreign for shift in shifts] == [False, True, False, False]


BREACHES: list[tuple[str, Judge, Callable[[str], list[Record]]]] = [
    (
        "weights that are not 100 together",
        holdings.unbalanced_weights,
        lambda kind: with_these(kind, route(10, kind, 60, 50, ours=True)),
    ),
    (
        "a third destination with a share",
        holdings.unbalanced_weights,
        lambda kind: with_these(kind, route(10, kind, 50, 50, 1, ours=True)),
    ),
    (
        "a write that changes something else",
        holdings.meddled_routes,
        lambda kind: with_these(kind, route(10, kind, 50, 50, ours=True, timeout="4s")),
    ),
    (
        "our destination left in",
        holdings.routes_not_as_found,
        lambda kind: with_these(kind, route(17, kind, 100, 0, timeout="5s"), without=(18,)),
    ),
    (
        "a weight spelled where there was none",
        holdings.routes_not_as_found,
        lambda kind: with_these(kind, route(17, kind, 100, ours=True, timeout="5s"), without=(18,)),
    ),
    (
        "what others wrote is lost",
        holdings.routes_not_as_found,
        lambda kind: with_these(
            kind, route(17, kind, None, ours=True), route(18, kind, None), without=(13, 14, 16)
        ),
    ),
    (
        "our entry at rest",
        holdings.traces_at_rest,
        lambda kind: with_these(kind, without=(18,)),
    ),
    (
        "our mark at rest",
        holdings.traces_at_rest,
        lambda kind: with_these(kind, route(18, kind, None, timeout="5s", mark="r-1")),
    ),
    (
        "raised by no announcement",
        invariants.unannounced_raises,
        lambda kind: with_these(kind, route(13, kind, 10, 90, ours=True, timeout="5s")),
    ),
    (
        "raised again after its withdrawal",
        invariants.raises_after_failure,
        lambda kind: with_these(kind, route(17, kind, 50, 50, ours=True, timeout="5s")),
    ),
    (
        "a person's route deleted",
        invariants.foreign_deletions,
        lambda kind: with_these(kind, replace(route(18, kind, None), deleted=True)),
    ),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("judge", "course"), [each[1:] for each in BREACHES], ids=[each[0] for each in BREACHES]
)
def test_each_judge_catches_its_breach(
    kind: str, judge: Judge, course: Callable[[str], list[Record]]
) -> None:
    """A judge that could not see the breach it is for would prove nothing."""
    told = judge(course(kind))
    assert told
    assert set(told) <= set(invariants.breaches(course(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_route_found_with_our_destination_keeps_it(kind: str) -> None:
    """Where a person has written stable 100 and canary 0, that is what must be there again."""
    course = [
        route(1, kind, 100, 0),
        canary(2, kind, announced=50),
        route(10, kind, 50, 50, ours=True),
        route(11, kind, 100, 0, ours=True),
        route(12, kind, 100, 0),
        canary(20, kind, "Resting"),
    ]
    assert holdings.routes_not_as_found(course) == []
    assert holdings.routes_not_as_found([*course[:-3], route(11, kind, None, ours=True)]) != []


@pytest.mark.parametrize("kind", KINDS)
def test_owners_are_part_of_what_was_found(kind: str) -> None:
    """An entry of managedFields that is gone is told; one of the status is not ours to keep."""
    last = proper(kind)[-2]
    item = copy.deepcopy(last.object)
    item["metadata"]["managedFields"].append({"manager": "gateway", "subresource": "status"})
    assert holdings.routes_not_as_found(with_these(kind, replace(last, object=item))) == []
    item["metadata"]["managedFields"] = []
    assert holdings.routes_not_as_found(with_these(kind, replace(last, object=item))) != []


def test_subsets_tell_the_sides_of_one_host() -> None:
    """In a mesh with one host the subset tells stable from canary, and the host from others."""
    item = canary(1, "VirtualService").object
    item["spec"]["traffic"]["istio"] |= {"subsets": {"stable": "v1", "canary": "v2"}}
    claim = Claim.of(item)
    assert claim is not None
    sides = [
        claim.side({"destination": {"host": host, "subset": subset}})
        for host, subset in (("gateway", "v1"), ("gateway", "v2"), ("gateway", "v3"), ("x", "v1"))
    ]
    assert sides == ["stable", "canary", "other", "other"]


def test_named_rules_alone_are_read() -> None:
    """A claim that names rules says nothing of the others."""
    item = canary(1, "HTTPRoute").object
    item["spec"]["traffic"]["gatewayAPI"] |= {"rules": ["main"]}
    claim = Claim.of(item)
    assert claim is not None
    found = route(1, "HTTPRoute", 90, 10).object
    assert routes.shares(found, claim) == []
    found["spec"]["rules"][0]["name"] = "main"
    (share,) = routes.shares(found, claim)
    assert (share.rule, share.stable, share.canary) == ("main", 90, 10)


def test_of_two_claims_the_older_counts() -> None:
    """A second GatewayCanary on the same route takes nothing over while the first is there."""
    younger = replace(canary(3, "HTTPRoute"), name="younger")
    younger = replace(
        younger, object={**younger.object, "metadata": {"name": "younger", "uid": "u-2"}}
    )
    records = [*proper("HTTPRoute"), younger]
    found = {claim.owner for _, claim in timelines.held(sorted(records, key=lambda r: r.version))}
    assert found == {UID}
