"""A store that follows a server through all that can go wrong between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from gatewaycanary.kube.reflector import Reflector, State
from gatewaycanary.kube.resources import Object
from gatewaycanary.kube.store import Store
from unit.kube.faults import hang, reset
from unit.kube.faulty_api import (
    Answer,
    FaultyApi,
    bookmark,
    client_of,
    event,
    faulty_api,
    lists,
    pod,
    reflector_of,
    refuses,
    streams,
)


class Followed(NamedTuple):
    """A server and what follows it."""

    api: FaultyApi
    store: Store[tuple[str, str]]
    reflector: Reflector[Any]
    changed: asyncio.Event

    async def until(self, *names: str) -> None:
        """Wait until exactly these pods are in the store."""
        async with asyncio.timeout(5):
            while sorted(name for name, _ in self.store.all()) != sorted(names):
                self.changed.clear()
                await self.changed.wait()

    def state(self) -> State:
        """Return how far the reflector has come."""
        return self.reflector.state


def trim(obj: Object) -> tuple[str, str]:
    """Keep name and phase."""
    return obj["metadata"]["name"], obj["status"]["phase"]


@asynccontextmanager
async def following(*answers: Answer, **settings: Any) -> AsyncIterator[Followed]:
    """Run a reflector against a server with these answers."""
    store = Store(trim=trim)
    changed = asyncio.Event()
    store.subscribe(lambda _old, _new: changed.set())
    async with faulty_api(*answers) as api, client_of(api) as client:
        reflector = reflector_of(client, store, **settings)
        task = asyncio.create_task(reflector.run())
        try:
            yield Followed(api, store, reflector, changed)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


QUIET = streams(bookmark(100), then=hang)


async def test_a_list_and_then_events() -> None:
    """The list fills the store, the watch goes on from its version."""
    answers = (
        lists(pod("x", 3), pod("y", 4), version=7),
        streams(event("DELETED", pod("x", 8)), event("ADDED", pod("z", 9)), then=hang),
    )
    async with following(*answers) as followed:
        assert followed.state() is State.STARTING
        await followed.reflector.synced.wait()
        assert followed.state() is State.FOLLOWING
        await followed.until("y", "z")
        assert followed.api.queries[1]["resourceVersion"] == "7"
        assert 300 <= int(followed.api.queries[1]["timeoutSeconds"]) < 600


async def test_a_long_list_comes_in_pages() -> None:
    """All pages are read before the store counts as true, and none is missed."""
    answers = (
        lists(pod("x", 3), version=7, page="p2"),
        lists(pod("y", 4), version=7, page="p3"),
        lists(pod("z", 5), version=7),
        QUIET,
    )
    async with following(*answers) as followed:
        await followed.reflector.synced.wait()
        await followed.until("x", "y", "z")
        pages = [(query["limit"], query.get("continue")) for query in followed.api.queries[:3]]
        assert pages == [("500", None), ("500", "p2"), ("500", "p3")]


async def test_a_page_that_is_no_longer_kept_starts_the_list_anew() -> None:
    """A list that took too long is asked for from its beginning."""
    answers = (
        lists(pod("x", 3), version=7, page="p2"),
        refuses(410, "Expired"),
        lists(pod("y", 9), version=10),
        QUIET,
    )
    async with following(*answers) as followed:
        await followed.reflector.synced.wait()
        await followed.until("y")


async def test_selectors_and_namespace_go_along() -> None:
    """List and watch ask for the same."""
    settings = {"namespace": "a", "label_selector": "x=y", "field_selector": "metadata.name=n"}
    async with following(lists(version=7), QUIET, **settings) as followed:
        await followed.api.asked(2)
        for request in followed.api.requests[:2]:
            assert request.path == "/api/v1/namespaces/a/pods"
            assert request.query["labelSelector"] == "x=y"
            assert request.query["fieldSelector"] == "metadata.name=n"


ERROR: Object = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}


@pytest.mark.parametrize("gone", [refuses(410, "Expired"), streams(event("ERROR", ERROR))])
async def test_lost_events_are_made_good_by_a_list(gone: Answer) -> None:
    """What vanished meanwhile is told as deleted, by status as by an event in the stream."""
    answers = (lists(pod("x", 3), version=7), gone, lists(pod("y", 9), version=10), QUIET)
    async with following(*answers) as followed:
        told: list[tuple[object, object]] = []
        followed.store.subscribe(lambda old, new: told.append((old, new)))
        await followed.until("y")
        assert (("x", "Running"), None) in told
        assert followed.state() is State.FOLLOWING


@pytest.mark.parametrize("end", [None, reset, hang])
async def test_a_broken_watch_goes_on_where_it_was(end: Any) -> None:
    """An end, a cut or a silence costs no list: the next watch starts after the last event."""
    answers = (
        lists(version=7),
        streams(event("ADDED", pod("x", 8)), bookmark(50), then=end),
        streams(event("ADDED", pod("y", 60)), then=hang),
    )
    async with following(*answers, inactivity=0.2) as followed:
        await followed.until("x", "y")
        assert [query.get("resourceVersion") for query in followed.api.queries[:3]] == [
            None,
            "7",
            "50",
        ]


async def test_a_missing_resource_is_absent_until_it_is_installed() -> None:
    """No CRD: the store is truly empty; once it is there, it is followed without a restart."""
    answers = (
        refuses(404, "NotFound"),
        refuses(404, "NotFound"),
        lists(pod("x", 3), version=7),
        QUIET,
    )
    async with following(*answers, absent_backoff=(0.05, 0.05)) as followed:
        await followed.reflector.synced.wait()
        assert followed.state() is State.ABSENT
        await followed.until("x")
        assert followed.state() is State.FOLLOWING


async def test_a_long_absence_does_not_slow_down_what_follows() -> None:
    """A kind that comes is often throttled at first; asked again soon, however long it was away."""
    away = [refuses(404, "NotFound")] * 10
    throttled = refuses(429, "TooManyRequests")
    answers = (*away, throttled, lists(pod("x", 3), version=7), QUIET)
    settings = {"backoff": (0.02, 600.0), "absent_backoff": (0.01, 0.01)}
    async with following(*answers, **settings) as followed:
        await followed.until("x")


async def test_a_long_outage_does_not_slow_down_a_new_list() -> None:
    """A server that was started anew knows no old version: it is listed soon, not after a pause."""
    away = [refuses(503, "ServiceUnavailable")] * 10
    answers = (
        lists(pod("x", 3), version=7),
        *away,
        refuses(410, "Expired"),
        lists(pod("y", 9), version=9),
        QUIET,
    )
    async with following(*answers, backoff=(0.001, 600.0)) as followed:
        await followed.api.asked(12)
        async with asyncio.timeout(0.5):
            await followed.until("y")


async def test_a_server_that_never_knows_the_version_is_not_asked_in_a_loop() -> None:
    """A list and a 410 in turns, without an event, are paused after ever longer."""
    turns = [lists(version=7), refuses(410, "Expired")] * 50
    async with following(*turns, backoff=(0.05, 0.2)) as followed:
        await asyncio.sleep(0.5)
        assert len(followed.api.requests) <= 14


async def test_a_resource_that_is_uninstalled_takes_its_objects_along() -> None:
    """The watch ends in 404: all that was there is told as deleted."""
    answers = (lists(pod("x", 3), version=7), refuses(404, "NotFound"))
    async with following(*answers) as followed:
        await followed.until("x")
        await followed.until()
        assert followed.state() is State.ABSENT


async def test_it_does_not_count_as_synced_before_the_list_is_in() -> None:
    """Errors are waited out, with pauses that grow."""
    answers = (
        refuses(503, "ServiceUnavailable"),
        refuses(403, "Forbidden"),
        lists(pod("x", 3), version=7),
        QUIET,
    )
    async with following(*answers, backoff=(0.05, 0.1)) as followed:
        await followed.api.asked(2)
        assert not followed.reflector.synced.is_set()
        assert followed.state() is State.STARTING
        await followed.until("x")
        assert followed.reflector.synced.is_set()


async def test_a_server_that_hangs_up_at_once_is_not_asked_in_a_loop() -> None:
    """A watch that ends without a word counts as a failure and is paused after."""
    async with following(lists(version=7), streams(), backoff=(0.05, 0.2)) as followed:
        await asyncio.sleep(0.5)
        assert len(followed.api.requests) <= 10


async def test_quiet_streams_that_are_cut_do_not_make_it_deaf() -> None:
    """What cuts idle connections does so for ever, and each time it is asked again at once."""

    async def idle(request: web.Request) -> None:
        await asyncio.sleep(0.05)
        await reset(request)

    answers = (lists(version=7), streams(then=idle))
    async with following(*answers, backoff=(0.001, 600.0), lasting=0.04) as followed:
        await followed.api.asked(25)


async def test_retry_after_is_honoured() -> None:
    """A throttled list waits as long as the server says."""
    throttled = refuses(429, "TooManyRequests", Retry_After="0.5")
    async with following(throttled, lists(version=7), QUIET) as followed:
        started = asyncio.get_running_loop().time()
        await followed.reflector.synced.wait()
        assert asyncio.get_running_loop().time() - started >= 0.4


async def test_a_quiet_resource_costs_no_requests() -> None:
    """One list and one watch, however long nothing happens."""
    async with following(lists(version=7), QUIET) as followed:
        await followed.api.asked(2)
        await asyncio.sleep(0.3)
        assert len(followed.api.requests) == 2


async def test_an_object_that_cannot_be_trimmed_is_a_bug_that_shows() -> None:
    """What is wrong in our own code ends the reflector: somebody supervises it."""

    def broken(_: Object) -> str:
        raise RuntimeError("ours")

    async with faulty_api(lists(pod("x", 1), version=2)) as api, client_of(api) as client:
        with pytest.raises(RuntimeError, match="ours"):
            await reflector_of(client, Store(trim=broken)).run()


async def test_a_resource_that_comes_is_followed_at_once() -> None:
    """Who hears of its CRD says so, and nobody waits for the next time it is asked for."""
    answers = (refuses(404, "NotFound"), lists(pod("x", 3), version=7), QUIET)
    told: list[State] = []
    async with following(*answers, absent_backoff=(600.0, 600.0)) as followed:
        followed.reflector.on_presence = lambda: told.append(followed.state())
        await followed.reflector.synced.wait()
        followed.reflector.recheck()
        await followed.until("x")
        assert told == [State.FOLLOWING]


async def test_a_resource_that_goes_is_told_too() -> None:
    """What rests on it must be looked at again."""
    answers = (lists(pod("x", 3), version=7), refuses(404, "NotFound"))
    told: list[State] = []
    async with following(*answers) as followed:
        followed.reflector.on_presence = lambda: told.append(followed.state())
        await followed.until("x")
        await followed.until()
        assert told == [State.ABSENT]
