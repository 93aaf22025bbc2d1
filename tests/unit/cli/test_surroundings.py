"""What `plan` makes of listed objects."""

from __future__ import annotations

from typing import Any

from gatewaycanary.api.spec import parse
from gatewaycanary.cli.surroundings import Listing, known
from gatewaycanary.core.plan import Surroundings

SPEC: dict[str, Any] = {
    "targetRef": {"name": "gateway"},
    "image": "app:2",
    "traffic": {"nginx": {"ingress": "gateway"}},
}


def metadata(name: str, namespace: str = "shop") -> dict[str, Any]:
    """Make an object's metadata."""
    return {"name": name, "namespace": namespace, "uid": f"uid-{name}"}


def deployment() -> dict[str, Any]:
    """Make the stable Deployment."""
    labels = {"app": "gateway"}
    containers = [{"name": "gateway", "image": "app:1"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata("gateway"),
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def service() -> dict[str, Any]:
    """Make the stable Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata("gateway"),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.0.0.1",
            "selector": {"app": "gateway"},
            "ports": [{"port": 80}],
        },
    }


def ingress() -> dict[str, Any]:
    """Make the stable Ingress."""
    backend = {"service": {"name": "gateway", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata("gateway"),
        "spec": {"rules": [{"host": "shop.example", "http": {"paths": [path]}}]},
    }


def look(more: dict[str, Any] | None = None, **listed: Any) -> Surroundings:
    """Tell what is known of a namespace that holds these objects."""
    raw = SPEC | (more or {})
    document = {"metadata": {"name": "gateway"}, "spec": raw}
    return known(parse(raw), namespace="shop", document=document, listed=listed, secrets=())


def test_what_is_there_is_known() -> None:
    """Stable's image and replicas, and the hosts of its route, come from the cluster."""
    found = look(Deployment=[deployment()], Service=[service()], Ingress=[ingress()])
    assert found.problems == ()
    assert found.target is not None
    assert (found.target.image, found.target.replicas) == ("app:1", 3)
    assert found.hosts == ("shop.example",)


def test_what_is_missing_is_a_problem() -> None:
    """An empty namespace refuses the rollout and says which objects it lacks."""
    found = look()
    told = {problem.object for problem in found.problems}
    assert {"Deployment gateway", "Service gateway"} <= told
    assert found.target is None


def test_a_release_without_tests_is_a_problem() -> None:
    """A release that is named and not there gates nothing, so it is refused."""
    tests = {"tests": [{"helm": {"release": "soma"}}]}
    found = look(tests, Deployment=[deployment()], Service=[service()], Ingress=[ingress()])
    assert [problem.reason for problem in found.problems] == ["ReleaseNotFound"]


def test_other_namespaces_are_not_looked_into() -> None:
    """An object of the same name elsewhere is not this one."""
    elsewhere = deployment()
    elsewhere["metadata"]["namespace"] = "other"
    lookup = Listing({"Deployment": [elsewhere]})
    assert lookup.get("Deployment", "shop", "gateway") is None


def canary(name: str, created: str) -> dict[str, Any]:
    """Make a stored GatewayCanary on the same target."""
    return {
        "metadata": metadata(name) | {"creationTimestamp": created},
        "spec": SPEC,
    }


def test_another_one_on_the_target_is_a_problem() -> None:
    """A GatewayCanary that is not there yet would be the younger of two, so it is refused."""
    rival = canary("rival", "2026-01-01T00:00:00Z")
    found = look(
        Deployment=[deployment()],
        Service=[service()],
        Ingress=[ingress()],
        GatewayCanary=[rival],
    )
    assert "TargetTaken" in {problem.reason for problem in found.problems}


def test_its_own_stored_one_is_no_rival() -> None:
    """Planning a change of what is there already finds no problem with itself."""
    stored = canary("gateway", "2026-01-01T00:00:00Z")
    found = look(
        Deployment=[deployment()],
        Service=[service()],
        Ingress=[ingress()],
        GatewayCanary=[stored],
    )
    assert found.problems == ()


def virtual_service(*weights: int) -> dict[str, Any]:
    """Write a VirtualService that sends to stable, and to the canary where there is a weight."""
    route = [
        {"destination": {"host": host}, "weight": weight}
        for host, weight in zip(("gateway", "gateway-canary"), weights, strict=False)
    ]
    spec = {"hosts": ["shop.example", "gateway"], "http": [{"route": route}]}
    return {"metadata": metadata("gateway"), "spec": spec}


def test_the_hosts_of_held_routes_are_known() -> None:
    """A test that goes through one of them is not redirected, whichever provider it is."""
    route = {
        "metadata": metadata("gateway"),
        "spec": {"hostnames": ["api.example"], "rules": [{"backendRefs": [{"name": "gateway"}]}]},
    }
    found = look(VirtualService=[virtual_service(100)], HTTPRoute=[route])
    assert found.hosts == ("shop.example", "gateway", "api.example")


def test_a_rollout_under_way_is_no_contradiction() -> None:
    """The weights that the operator has written itself are not taken for the user's."""
    istio = {"traffic": {"istio": {"virtualService": "gateway"}}}
    objects = {"Deployment": [deployment()], "Service": [service()]}
    route = {"VirtualService": [virtual_service(75, 25)], "DestinationRule": []}
    assert [one.reason for one in look(istio, **objects, **route).problems] == ["CanaryHasWeight"]
    state = {"stage": "Ramping", "route": {"rules": [{"name": "spec.http[0]"}]}}
    stored = canary("gateway", "2026-01-01T00:00:00Z") | {"status": {"state": state}}
    assert look(istio, **objects, **route, GatewayCanary=[stored]).problems == ()


def test_a_provider_that_is_not_installed_is_told() -> None:
    """What could not be listed for want of its CRD is not taken for an empty list."""
    istio = {"traffic": {"istio": {"virtualService": "gateway"}}}
    found = look(istio, Deployment=[deployment()], Service=[service()])
    assert [one.reason for one in found.problems] == ["ProviderNotInstalled"]
