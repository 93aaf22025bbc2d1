"""Which canaries a change concerns, and which it must leave alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.gateway_api import backend, http_route
from conformance.istio import destination, destination_rule, virtual_service
from conformance.nginx import ingress, path
from gatewaycanary.core.writes import Object
from gatewaycanary.engine.relations import concerned
from gatewaycanary.traffic import ingresses
from unit.core.objects import NAMESPACE, cache, canary, deployment, policy, service

WEB = (NAMESPACE, "web")
API = (NAMESPACE, "api")
MESH = (NAMESPACE, "mesh")

CANARY_INGRESS = {"nginx.ingress.kubernetes.io/canary": "true"}


def owned(uid: str, name: str = "pod") -> dict[str, Any]:
    """Write a pod or Job of the canary with this uid."""
    labels = {"canary.soma.dev/owner-uid": uid}
    return {"metadata": {"name": name, "namespace": NAMESPACE, "labels": labels}}


def slice_of(name: str) -> dict[str, Any]:
    """Write an EndpointSlice of a Service."""
    labels = {"kubernetes.io/service-name": name}
    return {"metadata": {"name": f"{name}-x", "namespace": NAMESPACE, "labels": labels}}


def autoscaler(target: str, *, maximum: int = 3, seen: int = 0) -> dict[str, Any]:
    """Write an HPA."""
    return {
        "metadata": {"name": "scaler", "namespace": NAMESPACE},
        "spec": {
            "maxReplicas": maximum,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
        },
        "status": {"currentReplicas": seen},
    }


AROUND: tuple[Object, ...] = (
    canary("web", uid="1", target="web"),
    canary("api", uid="2", target="api", traffic={"nginx": {"ingress": "api"}}),
    canary("mesh", uid="3", target="mesh", traffic={"istio": {"virtualService": "mesh"}}),
    deployment("web", labels={"app": "web", "track": "stable"}),
    deployment("api", labels={"app": "api", "track": "stable"}),
    service("web", selector={"app": "web", "track": "stable"}),
    service("api", selector={"app": "api", "track": "stable"}),
    ingress("web", host="web.example", paths=[path("/", "web")]),
    ingress("api", host="api.example", paths=[path("/", "api"), path("/in", "api")]),
)
"""Canaries side by side; the labels of two have one pair in common."""


@pytest.mark.parametrize(
    ("kind", "changed", "expected"),
    [
        ("Pod", owned("1"), {WEB}),
        ("Job", owned("2"), {API}),
        ("Pod", owned("of nobody"), set()),
        ("EndpointSlice", slice_of("web"), {WEB}),
        ("EndpointSlice", slice_of("web-canary"), {WEB}),
        ("EndpointSlice", slice_of("other"), set()),
        ("HorizontalPodAutoscaler", autoscaler("api"), {API}),
        ("HorizontalPodAutoscaler", autoscaler("other"), set()),
        ("Deployment", deployment("web"), {WEB}),
        ("Deployment", deployment("web-canary", labels={"x": "y"}), {WEB}),
        ("Deployment", deployment("other", labels={"track": "stable"}), set()),
        ("Service", service("api", selector={}), {API}),
        ("Service", service("api-canary", selector={"x": "y"}), {API}),
        ("Service", service("other", selector={"app": "other"}), set()),
        ("Ingress", ingress("web", host="x", paths=[path("/", "other")]), {WEB}),
        ("Ingress", ingress("web-canary", host="x", paths=[path("/", "other")]), {WEB}),
        ("Ingress", ingress("too", host="x", paths=[path("/", "api")]), {API}),
        ("Ingress", ingress("other", host="x", paths=[path("/", "other")]), set()),
        ("VirtualService", virtual_service(name="web"), set()),
        ("VirtualService", virtual_service(name="mesh"), {MESH}),
        ("VirtualService", virtual_service({"route": [destination("api")]}), {API}),
        ("DestinationRule", destination_rule("x", "api.shop.svc.cluster.local"), {API}),
        ("DestinationRule", destination_rule("x", "api.elsewhere.svc.cluster.local"), set()),
        ("HTTPRoute", http_route({"backendRefs": [backend("api-canary")]}), {API}),
        ("HTTPRoute", http_route(), set()),
        ("AuthorizationPolicy", policy("p", {}), {WEB, API, MESH}),
        ("PeerAuthentication", policy("p", {}), {WEB, API, MESH}),
        ("Sidecar", policy("p", {}), {WEB, API, MESH}),
        ("NetworkPolicy", policy("p", {}), {WEB, API, MESH}),
        ("PodDisruptionBudget", policy("p", {}), set()),
    ],
)  # fmt: skip
def test_who_is_concerned(kind: str, changed: Object, expected: set[tuple[str, str]]) -> None:
    """Each event reaches the canaries that read the object, whether it comes or goes, no other."""
    lookup = cache(*AROUND)
    assert concerned(lookup, kind, None, changed) == expected
    assert concerned(lookup, kind, changed, None) == expected


def test_a_service_that_catches_stable_pods() -> None:
    """A Service that selects, or selected, a target's pods concerns that target's canary alone."""
    lookup = cache(*AROUND)
    caught = service("all", selector={"track": "stable", "app": "web"})
    free = service("all", selector={"app": "nobody"})
    assert concerned(lookup, "Service", None, caught) == {WEB}
    assert concerned(lookup, "Service", caught, free) == {WEB}
    assert concerned(lookup, "Service", None, service("all", selector={"track": "stable"})) == {
        WEB,
        API,
    }


def test_a_deployment_that_takes_the_canary_label() -> None:
    """Pods that a canary's Service would select concern it; a shared label alone does not."""
    lookup = cache(*AROUND)
    taker = deployment("x", labels={"app": "web-canary", "track": "stable"})
    assert concerned(lookup, "Deployment", None, taker) == {WEB}
    beside = deployment("x", labels={"app": "other", "track": "stable-canary"})
    assert concerned(lookup, "Deployment", None, beside) == set()


def test_a_foreign_canary_on_the_same_spot() -> None:
    """An Ingress concerns who routes the same host and path, and not the Ingress's other paths."""
    lookup = cache(*AROUND, ingress("api2", host="api.example", paths=[path("/x", "web")]))
    foreign = ingress(
        "foreign",
        host="api.example",
        paths=[path("/", "foreign-canary")],
        annotations=CANARY_INGRESS,
    )
    assert concerned(lookup, "Ingress", None, foreign) == {API}
    assert concerned(lookup, "Ingress", foreign, None) == {API}


def test_an_ingress_of_many_paths_is_read_through_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each Ingress on its spots is looked at once, not once a spot."""
    many = ingress("many", host="api.example", paths=[path(f"/{n}", "api") for n in range(100)])
    lookup, reads = cache(*AROUND, many), Counter[str]()

    def counted(obj: Object) -> Iterator[ingresses.Entry]:
        reads[obj["metadata"]["name"]] += 1
        return entries(obj)

    entries = ingresses.entries
    monkeypatch.setattr(ingresses, "entries", counted)
    assert concerned(lookup, "Ingress", None, many) == {API}
    assert reads["many"] <= 3


def test_a_canary_concerns_itself_and_its_rivals() -> None:
    """A changed spec is news to whoever names the same things; a changed status to nobody else."""
    rival = canary("rival", uid="4", target="web")
    lookup = cache(*AROUND, rival)
    key = (NAMESPACE, "rival")
    assert concerned(lookup, "GatewayCanary", None, rival) == {key, WEB}
    assert concerned(lookup, "GatewayCanary", rival, None) == {key, WEB}
    moved = canary("rival", uid="4", target="elsewhere", traffic={"nginx": {"ingress": "e"}})
    assert concerned(lookup, "GatewayCanary", rival, moved) == {key, WEB}
    told = {**rival, "status": {"phase": "Idle"}}
    assert concerned(lookup, "GatewayCanary", rival, told) == {key}


def test_a_status_that_nobody_reads_wakes_nobody() -> None:
    """An HPA counts its replicas all day; only its spec is read."""
    lookup = cache(*AROUND)
    seen = autoscaler("web", seen=1), autoscaler("web", seen=2)
    assert concerned(lookup, "HorizontalPodAutoscaler", *seen) == set()
    raised = autoscaler("web"), autoscaler("web", maximum=9)
    assert concerned(lookup, "HorizontalPodAutoscaler", *raised) == {WEB}
    kept = policy("p", {}), {**policy("p", {}), "status": {"x": 1}}
    assert concerned(lookup, "NetworkPolicy", *kept) == set()


def test_objects_without_a_spec_do_not_stop_the_watch() -> None:
    """A GatewayCanary whose spec was never stored is still its own concern."""
    bare = {"metadata": {"name": "bare", "namespace": NAMESPACE, "uid": "9"}}
    assert concerned(cache(*AROUND), "GatewayCanary", None, bare) == {(NAMESPACE, "bare")}
    assert concerned(cache(*AROUND), "GatewayCanary", bare, bare) == {(NAMESPACE, "bare")}
