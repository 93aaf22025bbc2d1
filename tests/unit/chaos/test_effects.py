"""Effects are known from the requests that the operator really sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.effects import Effect, Recogniser
from faults.requests import Request, read
from gatewaycanary.core.naming import FINALIZER, WITHDRAWN_ANNOTATION
from gatewaycanary.core.writes import pointer

APIS = {
    "gatewaycanaries": "/apis/canary.soma.dev/v1alpha1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "virtualservices": "/apis/networking.istio.io/v1",
    "deployments": "/apis/apps/v1",
    "services": "/api/v1",
    "pods": "/api/v1",
}
MARK = pointer("metadata", "annotations", WITHDRAWN_ANNOTATION)
WEIGHT = pointer("metadata", "annotations", "nginx.ingress.kubernetes.io/canary-weight")
GUARD = {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
SHARE = "/spec/http/0/route/{}/weight"


def request(method: str, resource: str, name: str = "", body: Any = None, sub: str = "") -> Request:
    """Write a request as the operator does."""
    path = "/".join(filter(None, [APIS[resource], "namespaces/shop", resource, name, sub]))
    return read(method, path, body=json.dumps(body).encode() if body is not None else b"")


def status(**state: Any) -> Request:
    """Write a status patch."""
    return request("PATCH", "gatewaycanaries", "g", {"status": {"state": state}}, "status")


def route(resource: str, *operations: dict[str, Any]) -> Request:
    """Write a JSON patch of a route."""
    return request("PATCH", resource, "g", [GUARD, *operations])


def add(path: str, value: Any) -> dict[str, Any]:
    """Write one operation."""
    return {"op": "add", "path": path, "value": value}


def after(*done: Request) -> Recogniser:
    """Give one that has learnt these requests."""
    made = Recogniser()
    for each in done:
        made.learn(each)
    return made


@pytest.mark.parametrize(
    ("sent", "effect"),
    [
        (request("POST", "deployments", body={}), Effect.CANARY_CREATED),
        (request("POST", "services", body={}), Effect.SERVICE_CREATED),
        (request("POST", "ingresses", body={}), Effect.FIRST_RAISE),
        (request("POST", "pods", body={}), Effect.TEST_CREATED),
        (request("DELETE", "ingresses", "g"), Effect.ROUTE_RESTORED),
        (request("DELETE", "pods"), Effect.TESTS_DELETED),
        (request("DELETE", "deployments", "g"), Effect.CANARY_DELETED),
        (
            request("PATCH", "gatewaycanaries", "g", {"metadata": {"finalizers": [FINALIZER]}}),
            Effect.FINALIZER_ADDED,
        ),
        (
            request("PATCH", "gatewaycanaries", "g", {"metadata": {"finalizers": None}}),
            Effect.FINALIZER_REMOVED,
        ),
        (
            request("PATCH", "deployments", "g", [add("/spec/template/image", "x")]),
            Effect.STABLE_WRITTEN,
        ),
        (status(announced=10), Effect.ANNOUNCED),
        (status(stableWritten=True), Effect.STABLE_RECORDED),
        (status(outcome="Failed"), Effect.FAILED),
    ],
)
def test_each_write_has_its_name(sent: Request, effect: Effect) -> None:
    """A request alone tells what it does."""
    assert Recogniser().effects(sent) == {effect}


def test_a_status_records_and_announces_at_once() -> None:
    """The write that records a step announces the next one."""
    made = after(status(announced=10))
    assert made.effects(status(recorded=10, announced=50)) == {Effect.RECORDED, Effect.ANNOUNCED}
    assert made.effects(status(announced=10)) == frozenset()


def test_raises_on_an_ingress() -> None:
    """The creation is the first, a patch a later one; weight 0 in a promotion is neither."""
    made = after(status(announced=10), request("POST", "ingresses", body={}))
    assert made.effects(route("ingresses", add(WEIGHT, "50"))) == {Effect.LATER_RAISE}
    made.learn(status(announced=0))
    assert made.effects(route("ingresses", add(WEIGHT, "0"))) == {Effect.RETURNED}


def test_raises_on_a_route_that_a_person_holds() -> None:
    """The same patch is the first raise, and then a later one."""
    made = after(status(announced=10))
    first = route("virtualservices", add(SHARE.format(0), 90), add("/spec/http/0/route/-", {}))
    assert made.effects(first) == {Effect.FIRST_RAISE}
    made.learn(first)
    later = route("virtualservices", add(SHARE.format(0), 0), add(SHARE.format(1), 100))
    assert made.effects(later) == {Effect.LATER_RAISE}
    made.learn(status(announced=0))
    back = route("virtualservices", add(SHARE.format(0), 100), add(SHARE.format(1), 0))
    assert made.effects(back) == {Effect.RETURNED}
    restored = route("virtualservices", {"op": "remove", "path": "/spec/http/0/route/1"})
    assert made.effects(restored) == {Effect.ROUTE_RESTORED}


@pytest.mark.parametrize("resource", ["ingresses", "virtualservices"])
def test_the_mark_tells_a_revert(resource: str) -> None:
    """Set it is the revert's write, taken away the restoration."""
    made = after(status(announced=10))
    assert made.effects(route(resource, add(MARK, "r-1"))) == {Effect.WITHDRAWN}
    gone = route(resource, {"op": "remove", "path": MARK})
    assert made.effects(gone) == {Effect.ROUTE_RESTORED}


def test_giving_a_route_back_is_no_effect() -> None:
    """The patch of managedFields alone has no name."""
    owners = route("virtualservices", {"op": "remove", "path": "/metadata/managedFields/1"})
    assert Recogniser().effects(owners) == frozenset()


def test_reads_have_no_name() -> None:
    """Only writes are effects."""
    assert Recogniser().effects(request("GET", "pods")) == frozenset()
