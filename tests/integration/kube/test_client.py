"""What a real API server answers, and what the client makes of it."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from gatewaycanary.kube.client import Client, is_gone
from gatewaycanary.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
)
from gatewaycanary.kube.resources import CONFIG_MAP, INGRESS, POD, SECRET, SERVICE, Object, Resource
from integration.kube.conftest import NAMESPACE
from integration.kube.widgets import WIDGET, installed

pytestmark = pytest.mark.apiserver


def config(name: str, **data: str) -> Object:
    """Return a ConfigMap."""
    return {"metadata": {"name": name, "labels": {"test": "yes"}}, "data": data}


def ingress(name: str) -> Object:
    """Return an Ingress with one host."""
    path = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "s", "port": {"number": 80}}},
    }
    return {
        "metadata": {"name": name},
        "spec": {"rules": [{"host": "h.example", "http": {"paths": [path]}}]},
    }


async def test_write_and_read(client: Client, namespace: str) -> None:
    """What is created, patched and applied is what is read."""
    made = await client.create(CONFIG_MAP, config("a", x="1"), namespace=namespace)
    read = await client.get(CONFIG_MAP, namespace=namespace, name="a")
    assert read == made
    await client.merge_patch(CONFIG_MAP, {"data": {"y": "2"}}, namespace=namespace, name="a")
    patch = [{"op": "replace", "path": "/data/x", "value": "3"}]
    patched = await client.json_patch(CONFIG_MAP, patch, namespace=namespace, name="a")
    assert patched["data"] == {"x": "3", "y": "2"}
    assert int(patched["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


async def test_an_empty_list_has_no_items(client: Client, namespace: str) -> None:
    """Also where only metadata is asked for: the server then says null."""
    for resource in (SECRET, replace(SECRET, metadata_only=True)):
        answer = await client.list(resource, namespace=namespace, label_selector="none=here")
        assert answer["items"] == []


async def test_a_failed_test_is_a_conflict(client: Client, namespace: str) -> None:
    """The server says 422, but looking again is what helps."""
    await client.create(INGRESS, ingress("a"), namespace=namespace)
    failing = [
        [{"op": "test", "path": "/spec/rules/0/host", "value": "other"}],
        [{"op": "test", "path": "/spec/rules/7/host", "value": "h.example"}],
        [{"op": "replace", "path": "/spec/rules/7/host", "value": "x.example"}],
        [{"op": "remove", "path": "/metadata/annotations/none"}],
    ]
    for operations in failing:
        with pytest.raises(ConflictError) as caught:
            await client.json_patch(INGRESS, operations, namespace=namespace, name="a")
        assert caught.value.status == 422


async def test_an_invalid_result_is_no_conflict(client: Client, namespace: str) -> None:
    """The same 422, but somebody must change what we wrote."""
    await client.create(INGRESS, ingress("a"), namespace=namespace)
    operations = [{"op": "replace", "path": "/spec/rules/0/host", "value": "not a host"}]
    with pytest.raises(InvalidError, match="not a host") as caught:
        await client.json_patch(INGRESS, operations, namespace=namespace, name="a")
    assert caught.value.status == 422
    with pytest.raises(InvalidError):
        await client.create(INGRESS, {"metadata": {"name": "-"}}, namespace=namespace)


async def test_a_stale_version_is_a_conflict(client: Client, namespace: str) -> None:
    """Compare and set, by merge patch as by JSON patch."""
    made = await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    old = made["metadata"]["resourceVersion"]
    await client.merge_patch(CONFIG_MAP, {"data": {"x": "1"}}, namespace=namespace, name="a")
    merge = {"metadata": {"resourceVersion": old}, "data": {"x": "2"}}
    with pytest.raises(ConflictError) as caught:
        await client.merge_patch(CONFIG_MAP, merge, namespace=namespace, name="a")
    assert caught.value.status == 409
    operations = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": old},
        {"op": "replace", "path": "/data/x", "value": "2"},
    ]
    with pytest.raises(ConflictError) as caught:
        await client.json_patch(CONFIG_MAP, operations, namespace=namespace, name="a")
    assert caught.value.status == 409


async def test_names_that_are_taken_or_missing(client: Client, namespace: str) -> None:
    """Each has its own error."""
    await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    with pytest.raises(AlreadyExistsError):
        await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    with pytest.raises(NotFoundError):
        await client.get(CONFIG_MAP, namespace=namespace, name="b")
    with pytest.raises(NotFoundError):
        await client.merge_patch(CONFIG_MAP, {}, namespace=namespace, name="b")
    with pytest.raises(NotFoundError):
        await client.list(Resource("none.example", "v1", "nones", "None"))
    with pytest.raises(NotFoundError):
        await client.get(CONFIG_MAP, namespace=namespace, name="../a")


async def test_field_ownership(client: Client, namespace: str) -> None:
    """Applying what another owns is a conflict unless it is forced."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    mine, theirs = {**body, "data": {"x": "1"}}, {**body, "data": {"x": "2"}}
    place: dict[str, Any] = {"namespace": namespace, "name": "a"}
    await client.apply(CONFIG_MAP, mine, field_manager="one", force=False, **place)
    with pytest.raises(ConflictError):
        await client.apply(CONFIG_MAP, theirs, field_manager="two", force=False, **place)
    applied = await client.apply(CONFIG_MAP, theirs, field_manager="two", force=True, **place)
    assert applied["data"] == {"x": "2"}


async def test_deletes(client: Client, namespace: str) -> None:
    """Another uid is a conflict; the answer tells whether the object is gone."""
    made = await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    with pytest.raises(ConflictError):
        await client.delete(CONFIG_MAP, namespace=namespace, name="a", uid="other")
    uid = made["metadata"]["uid"]
    assert is_gone(await client.delete(CONFIG_MAP, namespace=namespace, name="a", uid=uid))
    held = config("b")
    held["metadata"]["finalizers"] = ["example.org/hold"]
    await client.create(CONFIG_MAP, held, namespace=namespace)
    assert not is_gone(await client.delete(CONFIG_MAP, namespace=namespace, name="b"))
    free = {"metadata": {"finalizers": None}}
    await client.merge_patch(CONFIG_MAP, free, namespace=namespace, name="b")
    with pytest.raises(NotFoundError):
        await client.get(CONFIG_MAP, namespace=namespace, name="b")


async def test_deletes_that_answer_with_the_object(client: Client, namespace: str) -> None:
    """A pod on no node and a Service are gone at once although the answer shows them."""
    container = {"name": "c", "image": "localhost/none:1"}
    pod = {"metadata": {"name": "a"}, "spec": {"containers": [container]}}
    await client.create(POD, pod, namespace=namespace)
    service = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    await client.create(SERVICE, service, namespace=namespace)
    for resource in (POD, SERVICE):
        assert is_gone(await client.delete(resource, namespace=namespace, name="a"))
        with pytest.raises(NotFoundError):
            await client.get(resource, namespace=namespace, name="a")


async def test_foreground_deletion_is_not_gone(client: Client, namespace: str) -> None:
    """It waits for its dependents."""
    await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    answer = await client.delete(
        CONFIG_MAP, namespace=namespace, name="a", propagation="Foreground"
    )
    assert not is_gone(answer)


async def test_delete_many(client: Client, namespace: str) -> None:
    """One request takes all that the selector names, and no more."""
    for name in ("a", "b", "c"):
        await client.create(CONFIG_MAP, config(name), namespace=namespace)
    other = {"metadata": {"name": "d", "labels": {"test": "no"}}}
    await client.create(CONFIG_MAP, other, namespace=namespace)
    await client.delete_collection(CONFIG_MAP, namespace=namespace, label_selector="test=yes")
    left = await client.list(CONFIG_MAP, namespace=namespace, label_selector="test")
    assert [item["metadata"]["name"] for item in left["items"]] == ["d"]


async def test_a_dying_namespace_forbids(client: Client) -> None:
    """Nothing can be made in a namespace on its way out, whatever our rights."""
    held = {
        "metadata": {"generateName": "kube-dying-", "finalizers": ["example.org/hold"]},
    }
    made = await client.create(NAMESPACE, held)
    name = made["metadata"]["name"]
    await client.delete(NAMESPACE, name=name)
    with pytest.raises(ForbiddenError, match="being terminated"):
        await client.create(CONFIG_MAP, config("a"), namespace=name)
    free = {"metadata": {"finalizers": None}}
    await client.merge_patch(NAMESPACE, free, name=name)


async def test_pages(client: Client, namespace: str) -> None:
    """A cut list is completed page by page, all of one version."""
    for name in "abcde":
        await client.create(CONFIG_MAP, config(name), namespace=namespace)
    names: list[str] = []
    versions = set()
    page: str | None = None
    while page != "":
        answer = await client.list(
            CONFIG_MAP, namespace=namespace, label_selector="test", limit=2, page=page
        )
        names += [item["metadata"]["name"] for item in answer["items"]]
        versions.add(answer["metadata"]["resourceVersion"])
        page = answer["metadata"].get("continue", "")
    assert names == list("abcde")
    assert len(versions) == 1


async def test_a_watch(client: Client, namespace: str) -> None:
    """Each write is told in order, with the version that the write's answer carried."""
    start = await client.list(CONFIG_MAP, namespace=namespace)
    made = await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    patch = {"data": {"x": "1"}}
    patched = await client.merge_patch(CONFIG_MAP, patch, namespace=namespace, name="a")
    await client.delete(CONFIG_MAP, namespace=namespace, name="a")
    events = client.watch(
        CONFIG_MAP,
        namespace=namespace,
        label_selector="test=yes",
        resource_version=start["metadata"]["resourceVersion"],
        seconds=30,
        inactivity=20,
    )
    told = []
    async with asyncio.timeout(20), aclosing(events):
        async for event in events:
            told.append((event["type"], event["object"]["metadata"]["resourceVersion"]))
            if event["type"] == "DELETED":
                break
    assert [kind for kind, _ in told] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [version for _, version in told]
    assert versions[:2] == [obj["metadata"]["resourceVersion"] for obj in (made, patched)]
    assert int(versions[2]) > int(versions[1])


async def test_a_version_that_is_no_longer_kept(client: Client, namespace: str) -> None:
    """A watch from before the server's memory is refused in words that mean: list anew."""

    async def watch() -> None:
        events = client.watch(WIDGET, resource_version="1", seconds=5, inactivity=20)
        async with aclosing(events):
            async for _ in events:
                pass

    async with installed(client, namespace):
        with pytest.raises(GoneError):
            await watch()
