"""A store that follows a real API server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest

from gatewaycanary.kube import reflector as reflectors
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.reflector import Reflector, State
from gatewaycanary.kube.resources import CONFIG_MAP, Object, Resource
from gatewaycanary.kube.store import Store
from integration.kube.widgets import WIDGET, installed

pytestmark = pytest.mark.apiserver


def trim(obj: Object) -> tuple[str, str]:
    """Keep name and data."""
    return obj["metadata"]["name"], obj.get("data", {}).get("x", "")


class Watched:
    """A store whose changes can be waited for."""

    def __init__(self) -> None:
        self.store: Store[tuple[str, str]] = Store(trim=trim)
        self.told: list[tuple[object, object]] = []
        self._changed = asyncio.Event()
        self.store.subscribe(self._note)

    def _note(self, old: object, new: object) -> None:
        self.told.append((old, new))
        self._changed.set()

    async def until(self, holds: Callable[[dict[str, str]], bool]) -> None:
        """Wait until the records, by name, are as wanted."""
        async with asyncio.timeout(20):
            while not holds(dict(self.store.all())):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def following(
    client: Client, resource: Resource, **settings: Any
) -> AsyncIterator[tuple[Watched, Reflector[Any]]]:
    """Follow a resource for as long as the block lasts."""
    watched = Watched()
    reflector = Reflector(
        client=client, resource=resource, store=watched.store, rng=Random(1), **settings
    )
    task = asyncio.create_task(reflector.run())
    try:
        yield watched, reflector
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def config(name: str, x: str = "") -> Object:
    """Return a ConfigMap that the tests select."""
    return {"metadata": {"name": name, "labels": {"test": "yes"}}, "data": {"x": x}}


async def test_it_follows(client: Client, namespace: str) -> None:
    """What was there, what comes, what changes, what goes."""
    await client.create(CONFIG_MAP, config("old"), namespace=namespace)
    settings = {"namespace": namespace, "label_selector": "test=yes"}
    async with following(client, CONFIG_MAP, **settings) as (watched, reflector):
        await asyncio.wait_for(reflector.synced.wait(), 20)
        assert dict(watched.store.all()) == {"old": ""}
        await client.create(CONFIG_MAP, config("new"), namespace=namespace)
        patch = {"data": {"x": "1"}}
        await client.merge_patch(CONFIG_MAP, patch, namespace=namespace, name="new")
        await client.delete(CONFIG_MAP, namespace=namespace, name="old")
        await watched.until(lambda records: records == {"new": "1"})


async def test_an_object_that_leaves_the_selection_is_gone(client: Client, namespace: str) -> None:
    """The server tells a change of label as a deletion."""
    await client.create(CONFIG_MAP, config("a"), namespace=namespace)
    settings = {"namespace": namespace, "label_selector": "test=yes"}
    async with following(client, CONFIG_MAP, **settings) as (watched, _):
        await watched.until(lambda records: "a" in records)
        patch = {"metadata": {"labels": {"test": "no"}}}
        await client.merge_patch(CONFIG_MAP, patch, namespace=namespace, name="a")
        await watched.until(lambda records: not records)


async def test_our_own_writes_are_seen_at_once_and_told_once(
    client: Client, namespace: str
) -> None:
    """Each of twenty writes is in the store when it returns; the watch adds nothing to them."""
    settings = {"namespace": namespace, "label_selector": "test=yes"}
    async with following(client, CONFIG_MAP, **settings) as (watched, reflector):
        await asyncio.wait_for(reflector.synced.wait(), 20)
        store = watched.store
        store.put(await client.create(CONFIG_MAP, config("a", "0"), namespace=namespace))
        for n in range(1, 20):
            patch = {"data": {"x": str(n)}}
            answer = await client.merge_patch(CONFIG_MAP, patch, namespace=namespace, name="a")
            store.put(answer)
            assert store.get(namespace, "a") == ("a", str(n))
        made = await client.create(CONFIG_MAP, config("last"), namespace=namespace)
        await watched.until(lambda records: "last" in records)
        assert store.passed >= int(made["metadata"]["resourceVersion"])
        changes = [new for _, new in watched.told if isinstance(new, tuple) and new[0] == "a"]
        assert changes == [("a", str(n)) for n in range(20)]


async def test_pages(client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of several pages is whole."""
    monkeypatch.setattr(reflectors, "_PAGE", 3)
    for n in range(10):
        await client.create(CONFIG_MAP, config(f"c{n}"), namespace=namespace)
    settings = {"namespace": namespace, "label_selector": "test=yes"}
    async with following(client, CONFIG_MAP, **settings) as (watched, reflector):
        await asyncio.wait_for(reflector.synced.wait(), 20)
        assert len(watched.store) == 10


async def test_a_resource_that_is_installed_and_uninstalled_later(
    client: Client, namespace: str
) -> None:
    """Absent, followed, absent again, without a restart."""
    async with following(client, WIDGET, absent_backoff=(0.2, 0.5)) as (watched, reflector):
        await asyncio.wait_for(reflector.synced.wait(), 20)
        assert _state(reflector) is State.ABSENT
        async with installed(client, namespace):
            await watched.until(lambda records: "w" in records)
            assert _state(reflector) is State.FOLLOWING
        await watched.until(lambda records: not records)


def _state(reflector: Reflector[Any]) -> State:
    return reflector.state
