"""What forbids to shift a VirtualService, and what of it stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.documents import Documents
from conformance.istio import (
    IstioBench,
    SubsetsBench,
    destination,
    destination_rule,
    virtual_service,
)
from conformance.nginx import CONTEXT
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic.istio import Istio

TO_STABLE = virtual_service({"name": "all", "route": [destination("web")]})


def problems(*objects: Object, **context: Any) -> list[Problem]:
    """Find what is wrong."""
    return list(Istio().problems(replace(CONTEXT, **context), Documents(objects)))


def test_nothing_is_wrong_with_the_benches() -> None:
    """What the conformance suite shifts may be shifted, and nothing of it stays."""
    for bench in (IstioBench(), SubsetsBench()):
        documents = Documents(bench.manifests())
        assert bench.provider.problems(bench.context, documents) == ()
        assert bench.provider.warnings(bench.context, documents) == ()


def test_the_canary_host_needs_a_policy_where_stable_has_one() -> None:
    """Else outlier detection, TLS and limits would hold for stable alone."""
    [problem] = problems(TO_STABLE, destination_rule("policy", "web"))
    assert (problem.reason, problem.object, problem.field) == (
        "DestinationRuleMissing",
        "DestinationRule policy",
        "spec.host",
    )
    of_both = destination_rule("other", "web-canary.shop.svc.cluster.local")
    assert problems(TO_STABLE, destination_rule("policy", "web"), of_both) == []
    elsewhere = destination_rule("policy", "web.far.svc.cluster.local")
    assert problems(TO_STABLE, elsewhere) == []


def test_a_host_with_dots_is_taken_as_it_is() -> None:
    """Istio completes short names alone: web.shop is no Service to it."""
    route = virtual_service({"route": [destination("web.shop")]})
    [problem] = problems(route)
    assert problem.reason == "RouteHasNoRule"
    assert "web.shop at spec.http[0]" in problem.message


def test_the_canary_host_is_spelled_as_stables_is() -> None:
    """A mesh that knows full names alone is given full names."""
    documents = Documents(IstioBench().manifests())
    write = Istio().raise_weight(CONTEXT, documents, weight=5)
    assert write is not None
    documents.apply(write)
    found = documents.get("VirtualService", "shop", "gateway")
    assert found is not None
    first, second = (found["spec"]["http"][at]["route"][1] for at in (0, 1))
    assert first["destination"]["host"] == "web-canary"
    assert second["destination"]["host"] == "web-canary.shop.svc.cluster.local"
    assert first["headers"] == found["spec"]["http"][0]["route"][0]["headers"]
    assert second["destination"]["port"] == {"number": 80}


def test_stables_subset_is_none_of_the_canarys() -> None:
    """With two hosts a subset of stable's host does not exist on the canary's."""
    documents = Documents([virtual_service({"route": [destination("web", subset="v1")]})])
    write = Istio().raise_weight(CONTEXT, documents, weight=5)
    assert write is not None
    documents.apply(write)
    found = documents.get("VirtualService", "shop", "gateway")
    assert found is not None
    assert "subset" not in found["spec"]["http"][0]["route"][1]["destination"]


def test_what_stays_is_told() -> None:
    """TLS and TCP routes, and other VirtualServices of the same host, are not shifted."""
    passing: dict[str, Any] = {
        "tls": [{"route": [{"destination": {"host": "web"}}]}],
        "tcp": [{"route": [{}]}],
    }
    mine = virtual_service({"name": "all", "route": [destination("web")]}, **passing)
    other = virtual_service({"route": [destination("web")]}, name="inner")
    told = Istio().warnings(CONTEXT, Documents([mine, other]))
    assert [(one.reason, one.object, one.field) for one in told] == [
        ("OtherRouteStays", "VirtualService gateway", "spec.tls[0]"),
        ("OtherRouteStays", "VirtualService inner", "spec.http"),
    ]


def test_routes_that_disagree_are_told_with_their_places() -> None:
    """Somebody changed one of several: no single weight is read."""
    documents = Documents(IstioBench().manifests())
    write = Istio().raise_weight(CONTEXT, documents, weight=25)
    assert write is not None
    documents.apply(write)
    for at, weight in ((0, 70), (1, 30)):
        path = f"/spec/http/0/route/{at}/weight"
        change = {"op": "replace", "path": path, "value": weight}
        documents.edit("VirtualService", "shop", "gateway", change)
    view = Istio().view(CONTEXT, documents)
    assert (view.attached, view.weight) == (True, None)
    assert view.text == "30 % in primary, 25 % in secondary"
