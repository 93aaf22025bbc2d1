"""What `plan` makes of listed objects."""

from __future__ import annotations

from typing import Any

from gatewaycanary.api.spec import parse
from gatewaycanary.cli.surroundings import Listing, known

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


def listing(**objects: Any) -> Listing:
    """Hold these objects by kind."""
    return Listing(objects)


def test_what_is_there_is_known() -> None:
    """Stable's image and replicas, and the hosts of its route, come from the cluster."""
    lookup = listing(Deployment=[deployment()], Service=[service()], Ingress=[ingress()])
    found = known(parse(SPEC), namespace="shop", name="gateway", lookup=lookup, secrets=())
    assert found.problems == ()
    assert found.target is not None
    assert (found.target.image, found.target.replicas) == ("app:1", 3)
    assert found.hosts == ("shop.example",)


def test_what_is_missing_is_a_problem() -> None:
    """An empty namespace refuses the rollout and says which objects it lacks."""
    found = known(parse(SPEC), namespace="shop", name="gateway", lookup=listing(), secrets=())
    told = {problem.object for problem in found.problems}
    assert {"Deployment gateway", "Service gateway"} <= told
    assert found.target is None


def test_a_release_without_tests_is_a_problem() -> None:
    """A release that is named and not there gates nothing, so it is refused."""
    spec = parse(SPEC | {"tests": [{"helm": {"release": "soma"}}]})
    lookup = listing(Deployment=[deployment()], Service=[service()], Ingress=[ingress()])
    found = known(spec, namespace="shop", name="gateway", lookup=lookup, secrets=())
    assert [problem.reason for problem in found.problems] == ["ReleaseNotFound"]


def test_other_namespaces_are_not_looked_into() -> None:
    """An object of the same name elsewhere is not this one."""
    elsewhere = deployment()
    elsewhere["metadata"]["namespace"] = "other"
    lookup = listing(Deployment=[elsewhere])
    assert lookup.get("Deployment", "shop", "gateway") is None
