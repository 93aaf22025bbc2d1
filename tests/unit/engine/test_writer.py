"""Writes are safe to repeat, and their answers are read at once."""

from __future__ import annotations

import pytest

from gatewaycanary.core.writes import Create, Delete, JsonPatch
from gatewaycanary.engine.writer import Writer, resource_of
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import (
    ConflictError,
    FencedError,
    NotFoundError,
    SpecError,
    ThrottledError,
)
from unit.core.objects import NAMESPACE, service
from unit.engine.fakes import FakeApi, caches, hold, missing, taken, throttled

SERVICE = {"api_version": "v1", "kind": "Service", "namespace": NAMESPACE, "name": "web"}


class Setting:
    """A writer on an API in memory."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.caches = caches(self.api)
        self.writer = Writer(client=Client(self.api), caches=self.caches)

    def cached(self) -> bool:
        """Tell whether the caches hold the Service."""
        return self.caches.get("Service", NAMESPACE, "web") is not None


@pytest.fixture
async def setting() -> Setting:
    """Give a setting."""
    return Setting()


async def test_what_was_created_is_read_at_once(setting: Setting) -> None:
    """Nobody waits for the watch to tell of our own object."""
    answer = await setting.writer.send(Create(manifest=service()))
    assert answer is not None
    assert setting.cached()


async def test_a_create_that_was_done_before(setting: Setting) -> None:
    """After a crash, or an answer that was lost, the object that is there is the answer."""
    there = setting.api.add(service(selector={"made": "before"}))
    answer = await setting.writer.create(Create(manifest=service()))
    assert answer == there
    assert setting.api.verbs() == [("create", "Service"), ("get", "Service")]
    found = setting.caches.get("Service", NAMESPACE, "web")
    assert found is not None
    assert found["spec"]["selector"] == {"made": "before"}


async def test_a_create_whose_name_is_free_again(setting: Setting) -> None:
    """It was taken a moment ago and is not now: look again, and pretend nothing."""
    setting.api.fail("create", "Service", taken())
    with pytest.raises(NotFoundError):
        await setting.writer.create(Create(manifest=service()))
    assert not setting.cached()


async def test_a_kind_that_is_never_written(setting: Setting) -> None:
    """It is refused before anything is sent."""
    manifest = {"apiVersion": "v9", "kind": "Widget", "metadata": {"namespace": "x", "name": "y"}}
    with pytest.raises(SpecError, match="v9 Widget"):
        await setting.writer.send(Create(manifest=manifest))
    assert setting.api.calls == []
    assert resource_of("v1", "Service").plural == "services"


async def test_a_delete(setting: Setting) -> None:
    """What is gone is gone from the caches too."""
    (stored,) = hold(setting.api, setting.caches, service())
    gone = await setting.writer.send(Delete(**SERVICE, uid=stored["metadata"]["uid"]))
    assert gone is None
    assert not setting.cached()
    assert setting.api.objects == {}


async def test_a_delete_that_was_done_before(setting: Setting) -> None:
    """That it is not found is what was wanted."""
    (stored,) = hold(setting.api, setting.caches, service())
    setting.api.fail("delete", "Service", missing())
    assert await setting.writer.delete(Delete(**SERVICE, uid=stored["metadata"]["uid"])) is None
    assert not setting.cached()


async def test_a_delete_of_a_namesake(setting: Setting) -> None:
    """An object of another uid is somebody else's, and stays."""
    hold(setting.api, setting.caches, service())
    with pytest.raises(ConflictError):
        await setting.writer.delete(Delete(**SERVICE, uid="of another"))
    assert setting.cached()
    assert setting.api.objects


async def test_a_delete_that_takes_its_time(setting: Setting) -> None:
    """An object with finalizers stays in the caches, on its way out."""
    manifest = service()
    manifest["metadata"]["finalizers"] = ["theirs"]
    (stored,) = hold(setting.api, setting.caches, manifest)
    left = await setting.writer.delete(Delete(**SERVICE, uid=stored["metadata"]["uid"]))
    assert left is not None
    found = setting.caches.get("Service", NAMESPACE, "web")
    assert found is not None
    assert found["metadata"]["deletionTimestamp"]


async def test_an_urgent_patch_overtakes(setting: Setting) -> None:
    """The limiter is told, and the answer is read at once."""
    hold(setting.api, setting.caches, service())
    operation = {"op": "replace", "path": "/spec/type", "value": "NodePort"}
    for urgent in (False, True):
        await setting.writer.send(JsonPatch(**SERVICE, operations=(operation,)), urgent=urgent)
    assert [call.urgent for call in setting.api.calls] == [False, True]
    found = setting.caches.get("Service", NAMESPACE, "web")
    assert found is not None
    assert found["spec"]["type"] == "NodePort"


async def test_a_patch_whose_premise_is_gone(setting: Setting) -> None:
    """A test that fails, or an object that is gone, is a conflict: look again."""
    hold(setting.api, setting.caches, service())
    guard = {"op": "test", "path": "/spec/type", "value": "NodePort"}
    with pytest.raises(ConflictError):
        await setting.writer.send(JsonPatch(**SERVICE, operations=(guard,)))
    setting.api.objects.clear()
    with pytest.raises(ConflictError):
        await setting.writer.send(JsonPatch(**SERVICE, operations=(guard,)))


async def test_an_answer_that_asks_for_patience(setting: Setting) -> None:
    """Nothing is tried again here, and nothing of it gets into the caches."""
    setting.api.fail("create", "Service", throttled(3.0))
    with pytest.raises(ThrottledError) as asked:
        await setting.writer.send(Create(manifest=service()))
    assert asked.value.retry_after == 3.0
    assert not setting.cached()
    assert len(setting.api.calls) == 1


async def test_without_the_lease_nothing_is_written(setting: Setting) -> None:
    """A client whose fence is down sends no write."""

    def fence() -> float:
        raise FencedError("lost")

    client = Client(setting.api).fenced(fence)
    writer = Writer(client=client, caches=setting.caches)
    with pytest.raises(FencedError):
        await writer.send(Create(manifest=service()))
    assert setting.api.calls == []
