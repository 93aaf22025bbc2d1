"""The caches: what a record keeps, where it is found, and that our own writes are read at once."""

from __future__ import annotations

import pytest

from gatewaycanary.core.lookups import owner_token
from gatewaycanary.engine.caches import WATCHED, Caches, trim
from gatewaycanary.kube.reflector import State
from gatewaycanary.kube.resources import DEPLOYMENT, Object
from unit.core.objects import NAMESPACE, UID, canary, deployment, service
from unit.engine.fakes import FakeApi, caches
from unit.kube.virtual_time import virtual


def versioned(obj: Object, version: int, **metadata: object) -> Object:
    """Give an object a version."""
    found = {"uid": f"uid-of-{obj['metadata']['name']}", **obj["metadata"], **metadata}
    return {**obj, "metadata": {**found, "resourceVersion": str(version)}}


def test_a_record_is_the_object_without_its_managers() -> None:
    """What the server leaves out of list items is put in, and the answer itself stays as it was."""
    found = versioned(deployment(), 1, managedFields=[{"manager": "kubectl"}])
    bare = {key: value for key, value in found.items() if key not in ("kind", "apiVersion")}
    record = trim(DEPLOYMENT)(bare)
    assert (record["kind"], record["apiVersion"]) == ("Deployment", "apps/v1")
    assert "managedFields" not in record["metadata"]
    assert record["spec"] == found["spec"]
    assert "managedFields" in bare["metadata"]


@virtual
async def test_objects_are_found_by_what_they_concern() -> None:
    """By name, by namespace, by token, and over all namespaces; where there is none, nothing."""
    held = caches(FakeApi())
    held.put("GatewayCanary", versioned(canary(), 1))
    held.put("Deployment", versioned(deployment(), 2))
    held.put("Pod", versioned(
        {"metadata": {"name": "p", "namespace": NAMESPACE,
                      "labels": {"canary.soma.dev/owner-uid": UID}}}, 3))  # fmt: skip
    assert held.get("Deployment", NAMESPACE, "web") is not None
    assert held.get("Deployment", "elsewhere", "web") is None
    found = list(held.filed("GatewayCanary", NAMESPACE, "Deployment/web-canary"))
    assert [one["metadata"]["name"] for one in found] == ["web"]
    assert list(held.filed("GatewayCanary", "elsewhere", "Deployment/web")) == []
    assert len(list(held.filed("Pod", NAMESPACE, owner_token(UID)))) == 1
    assert len(list(held.list("Deployment", NAMESPACE))) == 1
    assert len(list(held.everywhere("GatewayCanary"))) == held.count("GatewayCanary") == 1
    assert held.get("Widget", NAMESPACE, "web") is None
    assert list(held.list("Widget", NAMESPACE)) == list(held.filed("Widget", NAMESPACE, "x")) == []


@virtual
async def test_our_own_writes_are_read_at_once() -> None:
    """The answer to a write stands until the watch tells something newer; a removal too."""
    held, told = caches(FakeApi()), list[tuple[str, bool, bool]]()
    held.subscribe(lambda kind, old, new: told.append((kind, old is not None, new is not None)))
    held.put("Service", versioned(service(), 5))
    held.put("Service", versioned(service(selector={"old": "1"}), 4))
    found = held.get("Service", NAMESPACE, "web")
    assert found is not None
    assert found["spec"]["selector"] == {"app": "web"}
    held.remove("Service", namespace=NAMESPACE, name="web", uid="somebody else")
    assert held.get("Service", NAMESPACE, "web") is not None
    held.remove("Service", namespace=NAMESPACE, name="web", uid="uid-of-web")
    held.put("Service", versioned(service(), 5))
    assert held.get("Service", NAMESPACE, "web") is None
    assert told == [("Service", False, True), ("Service", True, False)]


@virtual
async def test_chosen_namespaces() -> None:
    """Each has stores of its own; what lies elsewhere is neither held nor found."""
    held = caches(FakeApi(), namespaces=(NAMESPACE, "two"))
    assert len(held.reflectors) == 2 * len(WATCHED)
    held.put("Deployment", versioned(deployment(), 1))
    away = deployment()
    held.put(
        "Deployment", versioned({**away, "metadata": {**away["metadata"], "namespace": "x"}}, 2)
    )
    assert held.count("Deployment") == 1
    assert held.get("Deployment", NAMESPACE, "web") is not None
    assert held.get("Deployment", "x", "web") is None
    held.remove("Deployment", namespace="x", name="web", uid="uid-of-web")


@pytest.mark.parametrize("namespaces", [(), (NAMESPACE, "two")])
@virtual
async def test_ready_when_all_have_told_the_truth(namespaces: tuple[str, ...]) -> None:
    """And not while the CRD is missing: then there is nothing that it could serve."""
    held = caches(FakeApi(), namespaces=namespaces)
    for reflector in held.watched:
        assert not is_ready(held)
        reflector.state = State.FOLLOWING
        reflector.synced.set()
    assert is_ready(held)
    await held.synced()
    held.reflectors[0].state = State.ABSENT
    assert not is_ready(held)
    held.reflectors[0].state = State.FOLLOWING
    held.reflectors[-1].state = State.ABSENT
    assert is_ready(held), "a cluster that knows no Jobs, say, is no obstacle"


def is_ready(held: Caches) -> bool:
    """Ask anew."""
    return held.ready


@virtual
async def test_what_is_installed() -> None:
    """A kind whose CRD is missing is known to be; hearing of the CRD has it asked for again."""
    held = caches(FakeApi())
    routes = next(one for one in held.watched if one.resource.kind == "HTTPRoute")
    assert held.installed("HTTPRoute")
    routes.state = State.ABSENT
    assert not held.installed("HTTPRoute")
    asked: list[str] = []
    for reflector in held.watched:
        name = reflector.resource.plural
        reflector.recheck = lambda name=name: asked.append(name)  # type: ignore[method-assign, misc]
    definitions = held.reflectors[-1]
    definition = {
        "metadata": {
            "name": "httproutes.gateway.networking.k8s.io",
            "uid": "u",
            "resourceVersion": "3",
        }
    }
    definitions.store.observe("ADDED", definition)
    assert asked == ["httproutes"]


@virtual
async def test_named_namespaces_ask_for_no_definitions() -> None:
    """A right to the whole cluster is not needed there; absent kinds are asked for at times."""
    held = caches(FakeApi(), namespaces=(NAMESPACE,))
    assert held.reflectors == held.watched


async def test_who_owns_the_fields_of_a_held_route_is_kept() -> None:
    """What we must give back is known; of all other kinds it is left out."""
    held = caches(FakeApi())
    route = {"metadata": {"name": "x", "namespace": NAMESPACE, "managedFields": [{"manager": "h"}]}}
    for kind, kept in (("HTTPRoute", True), ("VirtualService", True), ("Ingress", False)):
        held.put(kind, versioned(route, 3))
        found = held.get(kind, NAMESPACE, "x")
        assert found is not None
        assert ("managedFields" in found["metadata"]) is kept
