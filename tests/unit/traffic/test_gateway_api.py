"""What gateways tell in an HTTPRoute's status, and whose backends count."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.documents import Documents
from conformance.gateway_api import GatewayBench, backend, http_route
from conformance.nginx import CONTEXT
from gatewaycanary.traffic.gateway_api import GatewayAPI

TO_STABLE = {"name": "all", "backendRefs": [backend("web")]}


def parent(kind: str = "Accepted", *, status: str = "True", seen: object = 2) -> dict[str, Any]:
    """Write what one gateway tells."""
    condition = {"type": kind, "status": status, "reason": "Because", "message": "words"}
    read = {} if seen is None else {"observedGeneration": seen}
    return {"parentRef": {"name": "front"}, "conditions": [{**condition, **read}]}


@pytest.mark.parametrize(
    ("parents", "settled"),
    [
        ([], None),
        ([parent()], None),
        ([parent(seen=1)], False),
        ([parent(), parent(seen=1)], False),
        ([parent(seen=None)], None),
        ([parent("ResolvedRefs", seen=1)], None),
        ([parent(seen="odd"), 3, {"conditions": "odd"}], None),
    ],
)
def test_what_gateways_have_read(parents: list[Any], settled: bool | None) -> None:
    """Behind is known; up to date is not yet live, so settle still counts."""
    documents = Documents([http_route(TO_STABLE, parents=parents)])
    assert GatewayAPI().view(CONTEXT, documents).settled is settled


def test_a_route_that_is_refused_is_not_shifted() -> None:
    """Its gateway's own words are told; what it said of an older generation is not."""
    refusal = parent(status="False")
    [problem] = GatewayAPI().problems(
        CONTEXT, Documents([http_route(TO_STABLE, parents=[refusal])])
    )
    assert (problem.reason, problem.field) == ("RouteNotAccepted", "status.parents[0]")
    assert problem.message == "gateway front says Because: words"
    old = http_route(TO_STABLE, parents=[parent(status="False", seen=1)])
    assert GatewayAPI().problems(CONTEXT, Documents([old])) == ()


def test_references_that_lead_nowhere_are_told() -> None:
    """They may be of another rule, so they forbid nothing."""
    route = http_route(TO_STABLE, parents=[parent("ResolvedRefs", status="False")])
    documents = Documents([route])
    assert GatewayAPI().problems(CONTEXT, documents) == ()
    assert [one.reason for one in GatewayAPI().warnings(CONTEXT, documents)] == ["RouteNotResolved"]


@pytest.mark.parametrize(
    "other",
    [
        backend("web", namespace="far"),
        backend("web", kind="ServiceImport", group="multicluster.x-k8s.io"),
        backend("api"),
    ],
)
def test_what_is_not_the_stable_service(other: dict[str, Any]) -> None:
    """A namesake elsewhere or of another kind is none of ours."""
    documents = Documents([http_route({"backendRefs": [other]})])
    found = GatewayAPI().problems(CONTEXT, documents)
    assert [problem.reason for problem in found] == ["RouteHasNoRule"]


def test_the_canary_backend_is_a_copy_of_stables() -> None:
    """Port, filters and namespace hold for both."""
    documents = Documents(GatewayBench().manifests())
    write = GatewayAPI().raise_weight(CONTEXT, documents, weight=5)
    assert write is not None
    documents.apply(write)
    found = documents.get("HTTPRoute", "shop", "gateway")
    assert found is not None
    for rule in found["spec"]["rules"][:2]:
        stable, canary = rule["backendRefs"]
        assert {**stable, "name": "web-canary", "weight": 5} == canary
        assert stable["weight"] == 95
