"""Addresses of objects, as the API server's router knows them."""

import pytest

from gatewaycanary.kube import resources
from gatewaycanary.kube.resources import DEPLOYMENT, INGRESS_CLASS, POD, Resource


@pytest.mark.parametrize(
    ("resource", "place", "path"),
    [
        (POD, {}, "/api/v1/pods"),
        (POD, {"namespace": "a"}, "/api/v1/namespaces/a/pods"),
        (POD, {"namespace": "a", "name": "b"}, "/api/v1/namespaces/a/pods/b"),
        (
            POD,
            {"namespace": "a", "name": "b", "subresource": "log"},
            "/api/v1/namespaces/a/pods/b/log",
        ),
        (
            DEPLOYMENT,
            {"namespace": "a", "name": "b"},
            "/apis/apps/v1/namespaces/a/deployments/b",
        ),
        (INGRESS_CLASS, {"name": "nginx"}, "/apis/networking.k8s.io/v1/ingressclasses/nginx"),
        (
            INGRESS_CLASS,
            {"namespace": "a", "name": "nginx"},
            "/apis/networking.k8s.io/v1/ingressclasses/nginx",
        ),
    ],
)
def test_paths(resource: Resource, place: dict[str, str], path: str) -> None:
    """A path names group, namespace, object and subresource; the core group lives under /api."""
    assert resource.path(**place) == path


def test_a_name_cannot_leave_its_place() -> None:
    """A name that a user wrote is quoted, whatever it holds."""
    path = POD.path(namespace="a", name="../secrets/b?c#d%2e")
    assert path == "/api/v1/namespaces/a/pods/..%2Fsecrets%2Fb%3Fc%23d%252e"


@pytest.mark.parametrize("resource", resources.ALL, ids=lambda resource: resource.kind)
def test_each_resource_is_found_by_its_kind(resource: Resource) -> None:
    """What a manifest says of itself leads to its resource."""
    assert resources.find(resource.api_version, resource.kind) is resource


def test_a_foreign_kind_is_not_found() -> None:
    """A kind that the operator never touches has no resource here."""
    assert resources.find("apps/v1", "DaemonSet") is None
    assert resources.find("extensions/v1beta1", "Deployment") is None
