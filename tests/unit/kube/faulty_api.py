"""An API server on loopback that answers what a test tells it to, faults above all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

import orjson
from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.connection import Connection
from gatewaycanary.kube.limiter import Limiter
from gatewaycanary.kube.reflector import Reflector
from gatewaycanary.kube.resources import POD, Object
from gatewaycanary.kube.store import Store
from gatewaycanary.kube.transport import Transport

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class FaultyApi:
    """Serve one answer after another, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[Seen] = []
        self.observed: list[tuple[str, str, int]] = []
        self.url = ""
        self._arrived = asyncio.Event()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Note the request and give the next answer."""
        raw = await request.read()
        self.requests.append(
            Seen(
                method=request.method,
                path=request.raw_path.partition("?")[0],
                query=dict(request.query),
                headers=dict(request.headers),
                body=orjson.loads(raw) if raw else None,
            )
        )
        self._arrived.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    def observe(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Note what the client tells its observer."""
        assert seconds >= 0.0
        self.observed.append((verb, resource, code))

    async def asked(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(5):
            while len(self.requests) < count:
                self._arrived.clear()
                await self._arrived.wait()

    @property
    def queries(self) -> list[dict[str, str]]:
        """Return what each request asked for."""
        return [request.query for request in self.requests]


@asynccontextmanager
async def faulty_api(*answers: Answer) -> AsyncIterator[FaultyApi]:
    """Start a server with these answers on a free port."""
    api = FaultyApi()
    api.answers.extend(answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    try:
        yield api
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(
    api: FaultyApi, *, seconds: float = 5.0, token: str | None = None
) -> AsyncIterator[Client]:
    """Connect to the server."""
    configuration = Configuration(host=api.url)
    if token is not None:
        configuration.api_key["BearerToken"] = f"Bearer {token}"
    limiter = Limiter(qps=1000, burst=1000)
    transport = Transport(Connection(configuration), limiter=limiter, observer=api.observe)
    try:
        yield Client(transport, timeout=seconds)
    finally:
        await transport.close()


def reflector_of(client: Client, store: Store[Any], **more: Any) -> Reflector[Any]:
    """Make a reflector of all pods that does not wait long."""
    settings: dict[str, Any] = {
        "backoff": (0.01, 0.02),
        "absent_backoff": (0.01, 0.02),
        "inactivity": 2.0,
        **more,
    }
    return Reflector(client=client, resource=POD, store=store, rng=Random(1), **settings)


def pod(name: str, version: int, *, phase: str = "Running") -> Object:
    """Return a pod as the API gives it."""
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
        },
        "status": {"phase": phase},
    }


def says(body: object, *, status: int = 200, **headers: str) -> Answer:
    """Answer with JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(
            body=orjson.dumps(body),
            status=status,
            headers={"Content-Type": "application/json", **named},
        )

    return answer


def refuses(code: int, reason: str, **headers: str) -> Answer:
    """Answer with a Status."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": "no", "details": {}}
    return says(body, status=code, **headers)


def lists(*items: Object, version: int, page: str = "") -> Answer:
    """Answer with a list."""
    return says(
        {"metadata": {"resourceVersion": str(version), "continue": page}, "items": list(items)}
    )


def event(kind: str, obj: Object) -> bytes:
    """Return one line of a watch."""
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def bookmark(version: int) -> bytes:
    """Return a bookmark's line."""
    return event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def streams(*chunks: bytes, then: Callable[[web.Request], Awaitable[None]] | None = None) -> Answer:
    """Answer with chunks, and then end well or as `then` does."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if then is not None:
            await then(request)
        return response

    return answer
