"""Layouts of routes beyond a single rule with two Services: subsets of one host, several rules."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from e2e import hooks
from e2e.providers import HELD, ISTIO, named
from e2e.scenes import RELEASE, Scene, image
from gatewaycanary.kube.resources import Object
from proving import clusters, routes
from proving.routes import Claim

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

ASKED = 20
"""Requests that are sent at once; at 0 and 100 % each must be answered by the one side."""


def virtual_service(scene: Scene, *rules: Object) -> Object:
    """Write a VirtualService of the scene's host."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "gateway"},
        "spec": {
            "hosts": [scene.host],
            "gateways": ["istio-system/gateway"],
            "http": list(rules),
        },
    }


def http_route(scene: Scene, *rules: Object) -> Object:
    """Write an HTTPRoute of the scene's host."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "gateway"},
        "spec": {
            "parentRefs": [{"name": "traefik", "namespace": "gateway-system"}],
            "hostnames": [scene.host],
            "rules": list(rules),
        },
    }


def three_rules(scene: Scene) -> Object:
    """Write a route with two rules to shift, one of them by a header, and one that is to stay."""
    headers = {"stays": {"x-stay": "yes"}, "testers": {"x-tester": "yes"}, "everybody": {}}
    if scene.provider is ISTIO:
        destination = {"destination": {"host": "gateway", "port": {"number": 80}}}
        return virtual_service(
            scene,
            *(
                {"name": name, "route": [destination], **_istio_match(wanted)}
                for name, wanted in headers.items()
            ),
        )
    backend = {"name": "gateway", "port": 80}
    return http_route(
        scene,
        *(
            {"name": name, "backendRefs": [backend], **_gateway_api_match(wanted)}
            for name, wanted in headers.items()
        ),
    )


def _istio_match(wanted: dict[str, str]) -> dict[str, Any]:
    found = {name: {"exact": value} for name, value in wanted.items()}
    return {"match": [{"headers": found}]} if found else {}


def _gateway_api_match(wanted: dict[str, str]) -> dict[str, Any]:
    found = [{"name": name, "value": value} for name, value in wanted.items()]
    return {"matches": [{"headers": found}]} if found else {}


def answers(scene: Scene, **headers: str) -> set[str]:
    """Ask the data plane with some headers; give the versions that answered."""
    url = f"{clusters.gateway_url(scene.cluster, scene.provider.name)}/version"
    sent = {"Host": scene.host, **{f"x-{name}": value for name, value in headers.items()}}
    found = set()
    for _ in range(ASKED):
        with urlopen(Request(url, headers=sent), timeout=5) as response:
            found.add(json.load(response)["version"])
    return found


@pytest.mark.parametrize("provider", [ISTIO], ids=named)
def test_one_host_with_subsets(scene: Scene) -> None:
    """Stable and canary are subsets of one Service that selects both, told apart by a label."""
    label = "app.kubernetes.io/name"
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "gateway"},
        "spec": {
            "host": "gateway",
            "subsets": [
                {"name": "now", "labels": {label: "gateway"}},
                {"name": "next", "labels": {label: "gateway-next"}},
            ],
        },
    }
    destination = {"host": "gateway", "subset": "now", "port": {"number": 80}}
    scene.start(
        hooks.pod("sleep 3", name="slow"),
        rule,
        virtual_service(scene, {"route": [{"destination": destination}]}),
        route={"kind": "none"},
        serviceSelector={"app.kubernetes.io/instance": RELEASE},
    )
    scene.apply("2.0.0", traffic=scene.traffic(subsets={"stable": "now", "canary": "next"}))
    scene.reaches("Testing", weight=50)
    half = answers(scene)
    scene.reaches("Testing", weight=100)
    assert answers(scene) == {"2.0.0"}
    scene.ends("Succeeded")
    assert half == {"1.0.0", "2.0.0"}
    assert scene.weights() == [50, 100, 0]
    assert scene.stable_image() == image("2.0.0")


@pytest.mark.parametrize("provider", HELD, ids=named)
def test_several_rules_move_together(scene: Scene) -> None:
    """The named rules carry the same weight in every version; the one not named never moves."""
    scene.start(hooks.pod("sleep 3", name="slow"), three_rules(scene), route={"kind": "none"})
    chosen = "routes" if scene.provider is ISTIO else "rules"
    scene.apply("2.0.0", traffic=scene.traffic(**{chosen: ["testers", "everybody"]}))
    scene.reaches("Testing", weight=100)
    assert answers(scene, tester="yes") == answers(scene) == {"2.0.0"}
    assert answers(scene, stay="yes") == {"1.0.0"}
    scene.ends("Succeeded")
    assert scene.weights() == [50, 100, 0]
    claim = Claim.of(scene.canary())
    assert claim is not None
    for record in scene.history.records(scene.provider.kind):
        one, other = routes.shares(record.object, claim)
        assert (one.stable, one.canary) == (other.stable, other.canary)
