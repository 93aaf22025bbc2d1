"""Each fault, as the operator's own client meets it, before a server that notes what it did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import yaml

from faults.hooks import Hooks
from faults.kinds import STREAM, Fault
from faults.plans import Injection, Plan
from faults.proxy import Proxy
from faults.requests import Request
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import (
    ConflictError,
    GoneError,
    KubeError,
    NotFoundError,
    ServerError,
    ThrottledError,
    UnreachableError,
)
from gatewaycanary.kube.resources import POD, Object
from unit.kube.faulty_api import (
    Answer,
    FaultyApi,
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

POD_A = pod("a", 1)
EVENTS = [event("ADDED", pod(name, 2 + at)) for at, name in enumerate("abc")]


class Script(Plan):
    """Strike each request in turn with the next fault, and one event of a watch."""

    def for_request(self, request: Request, *, number: int, streak: int) -> Injection | None:
        """Strike the first request of each sequence."""
        if number > 0 or self.kinds <= STREAM_FAULTS:
            return None
        return Injection(fault=next(iter(self.kinds)), seconds=1.0)

    def for_event(self, request: Request, *, number: int, event: int) -> Injection | None:
        """Strike the second event."""
        if event != 1 or not self.kinds <= STREAM_FAULTS:
            return None
        return Injection(fault=next(iter(self.kinds)), seconds=0.1)


STREAM_FAULTS = set(STREAM)


@contextmanager
def running(server: str, plan: Plan | None = None, hooks: Hooks | None = None) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    proxy = Proxy(server=server, plan=plan, hooks=hooks)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()


@asynccontextmanager
async def through(
    *answers: Answer, fault: Fault | None = None, hooks: Hooks | None = None, seconds: float = 5.0
) -> AsyncIterator[tuple[Client, FaultyApi, Proxy]]:
    """Give a client whose first request of each kind meets the fault."""
    plan = None if fault is None else Script(seed=0, kinds=frozenset({fault}))
    async with faulty_api(*answers) as api:
        with running(api.url, plan, hooks) as proxy:
            far, api.url = api.url, proxy.url
            async with client_of(api, seconds=seconds, token="secret") as client:
                api.url = far
                yield client, api, proxy


async def create(client: Client) -> Object:
    """Send one write."""
    return await client.create(POD, POD_A, namespace="a")


async def test_passing() -> None:
    """Without a plan a request and its answer arrive unchanged, credentials included."""
    async with through(says({"kind": "Pod"}, status=201)) as (client, api, proxy):
        assert await create(client) == {"kind": "Pod"}
        [seen] = api.requests
        assert (seen.method, seen.path, seen.body) == ("POST", "/api/v1/namespaces/a/pods", POD_A)
        assert seen.query == {"fieldManager": "gatewaycanary"}
        assert seen.headers["Authorization"] == "Bearer secret"
        assert proxy.ledger.counts() == {("create", "pods"): 1}


async def test_refusals_of_the_server() -> None:
    """What the server refuses is refused, Retry-After included."""
    answer = refuses(429, "TooManyRequests", Retry_After="7")
    async with through(answer) as (client, _, _):
        with pytest.raises(ThrottledError) as refused:
            await create(client)
        assert refused.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("fault", "error", "done"),
    [
        (Fault.CONFLICT, ConflictError, 0),
        (Fault.THROTTLED, ThrottledError, 0),
        (Fault.BROKEN, ServerError, 0),
        (Fault.UNAVAILABLE, ServerError, 0),
        (Fault.SILENT_BEFORE, UnreachableError, 0),
        (Fault.RESET_BEFORE, UnreachableError, 0),
        (Fault.TIMED_OUT, ServerError, 1),
        (Fault.SILENT_AFTER, UnreachableError, 1),
        (Fault.RESET_AFTER, UnreachableError, 1),
        (Fault.HALF_ANSWERED, UnreachableError, 1),
    ],
)
async def test_faults_of_writes(fault: Fault, error: type[KubeError], done: int) -> None:
    """Each fault is met as its error, with the work done or not; the next write passes."""
    async with through(says(POD_A), fault=fault, seconds=1.0) as (client, api, proxy):
        with pytest.raises(error):
            await create(client)
        assert len(api.requests) == done
        assert await create(client) == POD_A
        assert [stroke.injection.fault for stroke in proxy.ledger.strokes()] == [fault]


async def test_slow() -> None:
    """A slow answer is a good one."""
    async with through(says(POD_A), fault=Fault.SLOW) as (client, _, _):
        started = asyncio.get_running_loop().time()
        assert await create(client) == POD_A
        assert asyncio.get_running_loop().time() - started >= 1.0


async def test_throttled_tells_when() -> None:
    """A 429 of the proxy carries Retry-After."""
    async with through(says(POD_A), fault=Fault.THROTTLED) as (client, _, _):
        with pytest.raises(ThrottledError) as refused:
            await create(client)
        assert refused.value.retry_after == 1.0


async def test_patch_refused() -> None:
    """A JSON patch is refused as for a failed test, which is a conflict."""
    async with through(says(POD_A), fault=Fault.PATCH_REFUSED) as (client, api, _):
        with pytest.raises(ConflictError) as refused:
            await client.json_patch(POD, [], namespace="a", name="a")
        assert refused.value.status == 422
        assert not api.requests


async def test_stale_list() -> None:
    """A stale list is the answer of an earlier moment, with the version of that moment."""

    class Second(Plan):
        def for_request(self, request: Request, *, number: int, streak: int) -> Injection | None:
            return Injection(fault=Fault.STALE, seconds=1.0) if number in {0, 2} else None

    answers = (lists(version=1), lists(POD_A, version=2), lists(version=9))
    async with faulty_api(*answers) as api:
        with running(api.url, Second(seed=0)) as proxy:
            far, api.url = api.url, proxy.url
            async with client_of(api) as client:
                api.url = far
                told = [await client.list(POD, namespace="a") for _ in range(4)]
        versions = [each["metadata"]["resourceVersion"] for each in told]
        assert versions == ["1", "2", "1", "9"]
        assert len(api.requests) == 3
        assert len(proxy.ledger.strokes()) == 1, "without an earlier answer there is no stale one"


async def followed(client: Client) -> list[str]:
    """Give the names that a watch brings, or the error that ends it."""
    told = []
    events = client.watch(POD, namespace="a", resource_version="1", seconds=60, inactivity=5.0)
    try:
        async with aclosing(events):
            async for each in events:
                told.append(each["object"]["metadata"].get("name", "bookmark"))
    except KubeError as error:
        told.append(type(error).__name__)
    return told


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (None, ["a", "b", "c", "bookmark"]),
        (Fault.CUT, ["a", "UnreachableError"]),
        (Fault.TORN, ["a"]),
        (Fault.ENDED, ["a"]),
        (Fault.GONE, ["a", "GoneError"]),
        (Fault.DUPLICATED, ["a", "b", "b", "c", "bookmark"]),
        (Fault.DELAYED, ["a", "b", "c", "bookmark"]),
        (Fault.EXPIRED, ["GoneError"]),
        (Fault.UNAVAILABLE, ["ServerError"]),
    ],
)
async def test_faults_of_watches(fault: Fault | None, told: list[str]) -> None:
    """Each fault of a stream is met where it strikes; what came before it is told."""
    async with through(streams(*EVENTS, bookmark(9)), fault=fault) as (client, _, proxy):
        assert await followed(client) == told
        assert len(proxy.ledger.strokes()) == (fault is not None)


async def test_watch_refused_by_the_server() -> None:
    """A refusal of the server's own is told as it is."""
    async with through(refuses(410, "Expired")) as (client, _, _):
        assert await followed(client) == [GoneError.__name__]


class Recording:
    """Note the moments; hold back what is named."""

    def __init__(self, api: list[str], *, held: str = "") -> None:
        self.moments = api
        self._held = held

    def before(self, request: Request) -> bool:
        """Note it."""
        self.moments.append(f"before {request.key} {request.name}")
        return request.key != self._held

    def after(self, request: Request, status: int, body: bytes) -> None:
        """Note it with its status."""
        self.moments.append(f"after {request.key} {request.name} {status}")


async def test_hooks() -> None:
    """Hooks are called before the server has a request, and before the client has its answer."""
    moments: list[str] = []
    async with through(refuses(404, "NotFound"), hooks=Recording(moments)) as (client, _, _):
        with pytest.raises(NotFoundError):
            await client.get(POD, namespace="a", name="b")
    assert moments == ["before get pods b", "after get pods b 404"]


async def test_held_back() -> None:
    """A request that a hook holds back never gets to the server."""
    moments: list[str] = []
    hooks = Recording(moments, held="create pods")
    async with through(says(POD_A), hooks=hooks) as (client, api, _):
        with pytest.raises(UnreachableError):
            await create(client)
        assert not api.requests
    assert moments == ["before create pods "]


async def test_the_client_dies() -> None:
    """What the server has begun is done and told, also when nobody waits for the answer."""
    told = asyncio.Event()
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Telling(Recording):
        def after(self, request: Request, status: int, body: bytes) -> None:
            super().after(request, status, body)
            loop.call_soon_threadsafe(told.set)

    async def answer(request: object) -> object:
        await release.wait()
        return await says(POD_A)(request)  # type: ignore[arg-type]

    moments: list[str] = []
    async with through(answer, hooks=Telling(moments)) as (client, api, _):  # type: ignore[arg-type]
        writing = asyncio.create_task(create(client))
        await api.asked(1)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        release.set()
        async with asyncio.timeout(5):
            await told.wait()
    assert moments[-1] == "after create pods  200"


def test_credentials(tmp_path: Path) -> None:
    """The kubeconfig over the proxy has the same user and another address."""
    given, made = tmp_path / "given", tmp_path / "made"
    cluster = {"server": "https://127.0.0.1:6443", "certificate-authority-data": "x"}
    config = {"clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u"}]}
    given.write_text(yaml.safe_dump(config))
    with running("https://127.0.0.1:6443") as proxy:
        written = yaml.safe_load(proxy.credentials(given, made).read_text())
        assert written["clusters"] == [{"name": "c", "cluster": {"server": proxy.url}}]
    assert written["users"] == config["users"]
