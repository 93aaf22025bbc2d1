"""A request's verb, resource and place are read as the API server reads them."""

from __future__ import annotations

import pytest

from faults import requests

CANARIES = "/apis/canary.soma.dev/v1alpha1/namespaces/a/gatewaycanaries"


@pytest.mark.parametrize(
    ("method", "path", "query", "key", "place"),
    [
        ("GET", "/api/v1/pods", {}, "list pods", ("", "")),
        ("GET", "/api/v1/namespaces/a/pods", {"watch": "true"}, "watch pods", ("a", "")),
        ("GET", "/api/v1/namespaces/a", {}, "get namespaces", ("", "a")),
        ("GET", "/api/v1/namespaces", {}, "list namespaces", ("", "")),
        ("GET", "/api/v1/namespaces/a/pods/b/log", {}, "get pods/log", ("a", "b")),
        ("POST", "/api/v1/namespaces/a/events", {}, "create events", ("a", "")),
        ("PATCH", f"{CANARIES}/b/status", {}, "patch gatewaycanaries/status", ("a", "b")),
        ("PUT", f"{CANARIES}/b%2Fc", {}, "update gatewaycanaries", ("a", "b/c")),
        ("DELETE", f"{CANARIES}/b", {}, "delete gatewaycanaries", ("a", "b")),
        ("DELETE", "/api/v1/namespaces/a/pods", {}, "deletecollection pods", ("a", "")),
        ("GET", "/apis/canary.soma.dev/v1alpha1", {}, "discover ", ("", "")),
        ("GET", "/version", {}, "discover ", ("", "")),
    ],
)
def test_reading(
    method: str, path: str, query: dict[str, str], key: str, place: tuple[str, str]
) -> None:
    """Verbs are those of RBAC; what is no object is discovery."""
    found = requests.read(method, path, query=query)
    assert found.key == key
    assert (found.namespace, found.name) == place


def test_content() -> None:
    """The body's JSON is there for who wants to know what is written."""
    found = requests.read("POST", "/api/v1/pods", body=b'{"kind": "Pod"}')
    assert found.content() == {"kind": "Pod"}
    assert requests.read("GET", "/api/v1/pods").content() is None
