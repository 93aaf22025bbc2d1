"""What goes over the line for each verb, and what each fault becomes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from gatewaycanary.kube.client import Client, is_gone
from gatewaycanary.kube.errors import (
    ConflictError,
    FencedError,
    ForbiddenError,
    GoneError,
    KubeError,
    NotFoundError,
    ServerError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from gatewaycanary.kube.resources import DEPLOYMENT, GATEWAY_CANARY, POD, Object
from unit.kube.faults import babbles, breaks_off, hang, hangs_up, reset, silence
from unit.kube.faulty_api import (
    Answer,
    bookmark,
    client_of,
    event,
    faulty_api,
    lists,
    pod,
    refuses,
    says,
    streams,
)

Call = Callable[[Client], Awaitable[Any]]

PLACE: dict[str, Any] = {"namespace": "a", "name": "b"}
POD_PATH = "/api/v1/namespaces/a/pods/b"


@pytest.mark.parametrize(
    ("call", "line", "query", "sent", "observed"),
    [
        (lambda c: c.get(POD, **PLACE), f"GET {POD_PATH}", {}, (None, None), ("get", "pods")),
        (
            lambda c: c.list(POD, namespace="a", label_selector="x=y,z", limit=5, page="n"),
            "GET /api/v1/namespaces/a/pods",
            {"labelSelector": "x=y,z", "limit": "5", "continue": "n"},
            (None, None),
            ("list", "pods"),
        ),
        (
            lambda c: c.list(POD, field_selector="metadata.name=b", resource_version="0"),
            "GET /api/v1/pods",
            {"fieldSelector": "metadata.name=b", "resourceVersion": "0"},
            (None, None),
            ("list", "pods"),
        ),
        (
            lambda c: c.create(POD, {"kind": "Pod"}, namespace="a"),
            "POST /api/v1/namespaces/a/pods",
            {"fieldManager": "gatewaycanary"},
            ("application/json", {"kind": "Pod"}),
            ("create", "pods"),
        ),
        (
            lambda c: c.json_patch(POD, [{"op": "remove", "path": "/x"}], **PLACE),
            f"PATCH {POD_PATH}",
            {"fieldManager": "gatewaycanary"},
            ("application/json-patch+json", [{"op": "remove", "path": "/x"}]),
            ("patch", "pods"),
        ),
        (
            lambda c: c.merge_patch(
                GATEWAY_CANARY, {"status": {}}, subresource="status", field_manager="m", **PLACE
            ),
            "PATCH /apis/canary.soma.dev/v1alpha1/namespaces/a/gatewaycanaries/b/status",
            {"fieldManager": "m"},
            ("application/merge-patch+json", {"status": {}}),
            ("patch", "gatewaycanaries/status"),
        ),
        (
            lambda c: c.apply(DEPLOYMENT, {"spec": {}}, force=True, **PLACE),
            "PATCH /apis/apps/v1/namespaces/a/deployments/b",
            {"fieldManager": "gatewaycanary", "force": "true"},
            ("application/apply-patch+yaml", {"spec": {}}),
            ("patch", "deployments"),
        ),
        (
            lambda c: c.delete(POD, uid="u", resource_version="7", **PLACE),
            f"DELETE {POD_PATH}",
            {},
            (
                "application/json",
                {
                    "propagationPolicy": "Background",
                    "preconditions": {"uid": "u", "resourceVersion": "7"},
                },
            ),
            ("delete", "pods"),
        ),
        (
            lambda c: c.delete_collection(POD, namespace="a", label_selector="x=y"),
            "DELETE /api/v1/namespaces/a/pods",
            {"labelSelector": "x=y"},
            ("application/json", {"propagationPolicy": "Background"}),
            ("deletecollection", "pods"),
        ),
    ],
)
async def test_each_verb(
    call: Call,
    line: str,
    query: dict[str, str],
    sent: tuple[str | None, object],
    observed: tuple[str, str],
) -> None:
    """Method, path, query, content type and body are those of the API; the answer comes back."""
    async with faulty_api(says({"kind": "Pod"})) as api, client_of(api) as client:
        assert await call(client) == {"kind": "Pod"}
        (seen,) = api.requests
        assert f"{seen.method} {seen.path}" == line
        assert seen.query == query
        assert (seen.headers.get("Content-Type"), seen.body) == sent
        assert api.observed == [(*observed, 200)]


async def test_logs_are_text() -> None:
    """The tail of a log comes as text, and bytes that are none don't break it."""
    async with faulty_api(streams(b"one\ntw\xff")) as api, client_of(api) as client:
        tail = await client.logs(container="c", tail_lines=20, **PLACE)
        assert tail == "one\ntw�"
        assert api.requests[0].path == f"{POD_PATH}/log"
        assert api.queries == [{"container": "c", "tailLines": "20", "limitBytes": "65536"}]


async def test_the_token_goes_along() -> None:
    """Each request carries our credentials, and only if we have some."""
    async with faulty_api(says({})) as api:
        async with client_of(api, token="secret") as client:
            await client.get(POD, **PLACE)
        async with client_of(api) as client:
            await client.get(POD, **PLACE)
        assert [seen.headers.get("Authorization") for seen in api.requests] == [
            "Bearer secret",
            None,
        ]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (refuses(404, "NotFound"), NotFoundError, 404),
        (refuses(403, "Forbidden"), ForbiddenError, 403),
        (refuses(401, "Unauthorized"), UnauthorizedError, 401),
        (refuses(409, "Conflict"), ConflictError, 409),
        (refuses(503, "ServiceUnavailable"), ServerError, 503),
        (says("elsewhere", status=302, Location="/api/v1/pods"), ServerError, 302),
        (babbles, UnreachableError, 200),
        (breaks_off, UnreachableError, 200),
        (hangs_up, UnreachableError, 0),
        (silence, UnreachableError, 0),
    ],
)
async def test_each_fault_has_its_error(answer: Answer, error: type[KubeError], code: int) -> None:
    """No fault leaves as anything but a KubeError, and each is counted once."""
    seconds = 0.3 if answer is silence else 10.0
    async with faulty_api(answer) as api, client_of(api, seconds=seconds) as client:
        with pytest.raises(error):
            await client.json_patch(POD, [], **PLACE)
        assert api.observed == [("patch", "pods", code)]
        assert len(api.requests) == 1


async def test_a_server_that_is_not_there() -> None:
    """A refused connection is unreachable, and its text says what was asked."""
    async with faulty_api(says({})) as api:
        pass
    async with client_of(api) as client:
        with pytest.raises(UnreachableError, match=r"GET /api/v1/namespaces/a/pods/b: .*127"):
            await client.get(POD, **PLACE)


async def test_throttling_says_for_how_long() -> None:
    """Retry-After is handed to who asked; the client itself does not wait or repeat."""
    answer = refuses(429, "TooManyRequests", Retry_After="7")
    async with faulty_api(answer) as api, client_of(api) as client:
        with pytest.raises(ThrottledError) as caught:
            await client.create(POD, {}, namespace="a")
        assert caught.value.retry_after == 7.0
        assert len(api.requests) == 1


async def test_a_connection_that_had_died_while_idle_is_replaced_for_a_read() -> None:
    """A read may be sent twice, so nobody has to know."""
    async with faulty_api(says({}), hangs_up, says({"x": 1})) as api, client_of(api) as client:
        await client.get(POD, **PLACE)
        assert await client.get(POD, **PLACE) == {"x": 1}


async def test_a_write_is_never_sent_twice() -> None:
    """It may have taken effect: who asked must look."""
    async with faulty_api(says({}), hangs_up, says({})) as api, client_of(api) as client:
        await client.get(POD, **PLACE)
        with pytest.raises(UnreachableError):
            await client.create(POD, {}, namespace="a")
        assert [seen.method for seen in api.requests] == ["GET", "POST"]


async def test_a_fence_stops_writes_and_lets_reads_pass() -> None:
    """Without the lease nothing that changes anything leaves the process."""

    def shut() -> float:
        raise FencedError("lost")

    async with faulty_api(says({})) as api, client_of(api) as client:
        fenced = client.fenced(shut)
        await fenced.get(POD, **PLACE)
        for write in (
            fenced.create(POD, {}, namespace="a"),
            fenced.json_patch(POD, [], **PLACE),
            fenced.merge_patch(POD, {}, **PLACE),
            fenced.apply(POD, {}, **PLACE),
            fenced.delete(POD, **PLACE),
            fenced.delete_collection(POD, namespace="a", label_selector="x"),
        ):
            with pytest.raises(FencedError):
                await write
        assert [seen.method for seen in api.requests] == ["GET"]


async def test_a_fence_bounds_how_long_a_write_may_take() -> None:
    """A write is given up when the lease could pass on, long before its own time-out."""
    async with faulty_api(silence) as api, client_of(api, seconds=60) as client:
        started = asyncio.get_running_loop().time()
        with pytest.raises(UnreachableError):
            await client.fenced(lambda: 0.1).create(POD, {}, namespace="a")
        assert asyncio.get_running_loop().time() - started < 5


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        ({"kind": "Status", "status": "Success"}, True),
        ({"kind": "Pod", "metadata": {"deletionGracePeriodSeconds": 0}}, True),
        ({"kind": "Pod", "metadata": {"deletionGracePeriodSeconds": 30}}, False),
        ({"kind": "Job", "metadata": {"finalizers": ["foregroundDeletion"]}}, False),
    ],
)
def test_what_a_delete_answers(answer: Object, gone: bool) -> None:
    """Gone at once, or only on its way out."""
    assert is_gone(answer) is gone


async def follow(client: Client, inactivity: float = 2.0) -> list[tuple[str, str]]:
    """Watch pods until the stream ends; return each event's type and version."""
    got = []
    events = client.watch(POD, resource_version="1", seconds=30, inactivity=inactivity)
    async with aclosing(events):
        async for one in events:
            got.append((one["type"], one["object"]["metadata"]["resourceVersion"]))
    return got


async def test_a_watch_gives_its_events() -> None:
    """However the chunks are cut; bookmarks are asked for and come along."""
    line = event("ADDED", pod("x", 2))
    chunks = (line[:9], line[9:] + event("DELETED", pod("x", 3))[:-1], b"\n", bookmark(9))
    async with faulty_api(streams(*chunks)) as api, client_of(api) as client:
        assert await follow(client) == [("ADDED", "2"), ("DELETED", "3"), ("BOOKMARK", "9")]
        assert api.queries == [
            {
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": "1",
                "timeoutSeconds": "30",
            }
        ]
        assert api.observed == [("watch", "pods", 200)]


async def test_a_huge_event() -> None:
    """An object of megabytes is one event."""
    big = {**pod("x", 2), "data": "x" * 3_000_000}
    async with faulty_api(streams(event("ADDED", big))) as api, client_of(api) as client:
        assert await follow(client) == [("ADDED", "2")]


ERROR = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (streams(event("ERROR", ERROR)), GoneError),
        (streams(event("ERROR", {"kind": "Status", "message": "?"})), ServerError),
        (refuses(410, "Expired"), GoneError),
        (refuses(404, "NotFound"), NotFoundError),
        (streams(event("ADDED", pod("x", 2)), then=reset), UnreachableError),
        (streams(event("ADDED", pod("x", 2)), then=hang), UnreachableError),
        (streams(b"what?\n"), UnreachableError),
    ],
)
async def test_how_a_watch_can_fail(answer: Answer, error: type[KubeError]) -> None:
    """An error in the stream, a cut, a silence: each ends the watch with its error."""
    async with faulty_api(answer) as api, client_of(api) as client:
        with pytest.raises(error):
            await follow(client, inactivity=0.2)


async def test_a_watch_that_never_begins() -> None:
    """Headers must come within a request's time, however patient the watch is later."""
    async with faulty_api(silence) as api, client_of(api, seconds=0.2) as client:
        async with asyncio.timeout(3):
            with pytest.raises(UnreachableError):
                await follow(client, inactivity=60)


async def test_a_list_names_its_next_page() -> None:
    """A cut list says how to go on."""
    async with faulty_api(lists(pod("x", 1), version=5, page="more")) as api:
        async with client_of(api) as client:
            answer = await client.list(POD, limit=1)
        assert answer["metadata"]["continue"] == "more"
