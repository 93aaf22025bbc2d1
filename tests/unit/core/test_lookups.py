"""Objects are filed under what they concern, so that one token finds all who care."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.nginx import ingress, path
from gatewaycanary.core.lookups import services_selecting, tokens
from gatewaycanary.core.writes import Object
from unit.core.objects import NAMESPACE, cache, canary, deployment, policy, service


@pytest.mark.parametrize(
    ("kind", "obj", "expected"),
    [
        (
            "GatewayCanary",
            canary(),
            {
                "owner/0f0e",
                "Deployment/web",
                "Deployment/web-canary",
                "Service/web",
                "Service/web-canary",
                "Ingress/web",
                "Ingress/web-canary",
            },
        ),
        (
            "GatewayCanary",
            canary(
                service={"stable": "a", "canary": "b"},
                traffic={"istio": {"virtualService": "v"}},
            ),
            {"owner/0f0e", "Deployment/web", "Deployment/web-canary", "Service/a", "Service/b",
             "VirtualService/v"},
        ),
        (
            "GatewayCanary",
            canary(traffic={"gatewayAPI": {"httpRoute": "r"}}),
            {"owner/0f0e", "Deployment/web", "Deployment/web-canary", "Service/web",
             "Service/web-canary", "HTTPRoute/r"},
        ),
        ("Deployment", deployment(labels={"app": "web"}), {"label/app=web"}),
        ("Service", service(selector={"b": "1", "a": "2"}), {"selector/a=2"}),
        ("Service", service(selector={}), set()),
        (
            "Ingress",
            ingress(paths=[path("/", "web"), path("", "api")],
                    defaultBackend={"service": {"name": "rest"}}),
            {"spot/shop.example/", "Service/web", "Service/api", "Service/rest"},
        ),
        (
            "HorizontalPodAutoscaler",
            {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}},
            {"Deployment/web"},
        ),
        (
            "EndpointSlice",
            {"metadata": {"labels": {"kubernetes.io/service-name": "web"}}},
            {"Service/web"},
        ),
        ("Pod", {"metadata": {"labels": {"canary.soma.dev/owner-uid": "0f0e"}}}, {"owner/0f0e"}),
        ("NetworkPolicy", policy("p", {}), set()),
    ],
)  # fmt: skip
def test_tokens(kind: str, obj: Object, expected: set[str]) -> None:
    """Each kind is filed under what its events and rivals concern, each token once."""
    given = tokens(kind, obj)
    assert set(given) == expected
    assert len(given) == len(expected)


@pytest.mark.parametrize("kind", ["GatewayCanary", "Deployment", "Service", "Ingress",
                                  "HorizontalPodAutoscaler", "EndpointSlice", "Pod"])  # fmt: skip
@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"spec": None},
        {"spec": "lost"},
        {"metadata": {}, "spec": {}},
        {"spec": {"targetRef": "web", "service": "web", "traffic": {"nginx": "web"}}},
    ],
)
def test_odd_objects_are_filed_too(kind: str, obj: dict[str, Any]) -> None:
    """No object, however bare, stops the cache."""
    assert all("/" in each for each in tokens(kind, obj))


def test_services_selecting() -> None:
    """All Services that select the labels are found, and no other."""
    lookup = cache(
        service("one", selector={"app": "web"}),
        service("both", selector={"app": "web", "tier": "front"}),
        service("more", selector={"app": "web", "zone": "a"}),
        service("none", selector={}),
    )
    found = services_selecting(lookup, NAMESPACE, {"app": "web", "tier": "front", "x": "y"})
    assert {each["metadata"]["name"] for each in found} == {"one", "both"}
