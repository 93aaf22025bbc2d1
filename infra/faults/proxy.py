"""The proxy: plain HTTP on 127.0.0.1, in a thread and an event loop of its own.

The client's credentials pass through; the way to the server is the server's own TLS. Whatever was
begun at the server is brought to its end, also if the client is dead by then, so that hooks and
counts tell what the server did.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from faults import answers, requests, streams
from faults.answers import Answer, Memory
from faults.hooks import Hooks
from faults.kinds import Fault
from faults.ledgers import Ledger, Stroke
from faults.plans import Course, Injection, Plan
from faults.requests import Request

T = TypeVar("T")

_PASSED_ON: Final = ("Authorization", "Accept", "Content-Type")
_PASSED_BACK: Final = ("Content-Type", "Retry-After", "Warning")
_SILENCE: Final = 120.0
"""Seconds for which nothing is said, at most; a client has given up long before."""

_FAREWELLS: Final = 10
_LARGEST: Final = 16 * 2**20


class ResetError(Exception):
    """Raised when the connection to the client is to be reset."""


class Proxy:
    """Stand between one client and the API server; without a plan nothing goes wrong."""

    def __init__(
        self,
        *,
        server: str,
        authority: bytes = b"",
        plan: Plan | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.ledger = Ledger()
        self.hooks = hooks
        self._server = server.rstrip("/")
        self._context = ssl.create_default_context(cadata=authority.decode() or None)
        self._course = Course(plan)
        self._memory = Memory()
        self._under_way: set[asyncio.Task[Answer | None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faults", daemon=True)
        self._port = 0

    @property
    def url(self) -> str:
        """Give the address that the client is to use."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._await(self._open())

    def close(self) -> None:
        """Break all connections and end."""
        self._await(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def credentials(self, kubeconfig: Path, path: Path) -> Path:
        """Write a copy of a kubeconfig that leads over the proxy, and give its path."""
        config = yaml.safe_load(kubeconfig.read_text())
        config["clusters"][0]["cluster"] = {"server": self.url}
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _open(self) -> None:
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10)
        connector = aiohttp.TCPConnector(ssl=self._context, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=limits)
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _shut(self) -> None:
        await self._runner.cleanup()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._session.close()
        await self._loop.shutdown_asyncgens()
        # NB: a transport that was closed lets go of its socket only in later turns of the loop.
        for _ in range(_FAREWELLS):
            await asyncio.sleep(0)

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        request = requests.read(
            incoming.method,
            incoming.raw_path.partition("?")[0],
            query=dict(incoming.query),
            content_type=incoming.headers.get("Content-Type", ""),
            body=await incoming.read(),
        )
        self.ledger.note(request)
        number, injection = self._course.take(request)
        try:
            return await self._pass(incoming, request, number=number, injection=injection)
        except (ResetError, streams.BrokenError, aiohttp.ClientError):
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response()

    async def _pass(
        self,
        incoming: web.Request,
        request: Request,
        *,
        number: int,
        injection: Injection | None,
    ) -> web.StreamResponse:
        fault = injection.fault if injection else None
        stale = self._memory.earlier(request) if fault is Fault.STALE else None
        if fault is Fault.STALE and stale is None:
            injection = fault = None
        if injection is not None:
            self.ledger.strike(Stroke(request=request, number=number, injection=injection))
            if (said := await self._before(injection)) is not None:
                return _response(said)
        if stale is not None:
            return _response(stale)
        if request.verb == "watch":
            return await self._watch(incoming, request, number=number)
        answer = await self._forward(incoming, request)
        return await self._after(incoming, answer, fault)

    async def _before(self, injection: Injection) -> Answer | None:
        """Do what comes before the server; give the answer where it never gets the request."""
        match injection.fault:
            case Fault.SILENT_BEFORE:
                await asyncio.sleep(_SILENCE)
                raise ResetError
            case Fault.RESET_BEFORE:
                raise ResetError
            case Fault.SLOW:
                await asyncio.sleep(injection.seconds)
        return answers.refusal(injection) if answers.is_refusal(injection.fault) else None

    async def _after(
        self, incoming: web.Request, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        match fault:
            case Fault.SILENT_AFTER:
                await asyncio.sleep(_SILENCE)
                raise ResetError
            case Fault.RESET_AFTER:
                raise ResetError
            case Fault.TIMED_OUT:
                return _response(answers.refusal(Injection(fault=fault, seconds=0.0)))
            case Fault.HALF_ANSWERED:
                await _begin(incoming, answer)
                raise ResetError
        return _response(answer)

    async def _forward(self, incoming: web.Request, request: Request) -> Answer:
        task = asyncio.create_task(self._exchange(incoming, request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        answer = await asyncio.shield(task)
        if answer is None:
            raise ResetError
        return answer

    async def _exchange(self, incoming: web.Request, request: Request) -> Answer | None:
        """Have the server answer; None where the hooks hold the request back."""
        if self.hooks and not self.hooks.before(request):
            return None
        async with self._ask(incoming, request) as response:
            body = await response.read()
        answer = Answer(status=response.status, headers=_headers(response), body=body)
        self._memory.keep(request, answer)
        if self.hooks:
            self.hooks.after(request, answer.status, body)
        return answer

    async def _watch(
        self, incoming: web.Request, request: Request, *, number: int
    ) -> web.StreamResponse:
        def strike(event: int) -> Injection | None:
            found = self._course.at_event(request, number=number, event=event)
            if found is not None:
                self.ledger.strike(
                    Stroke(request=request, number=number, injection=found, event=event)
                )
            return found

        if self.hooks and not self.hooks.before(request):
            raise ResetError
        async with self._ask(incoming, request) as response, _cut_off(response):
            outgoing = web.StreamResponse(status=response.status, headers=_headers(response))
            await outgoing.prepare(incoming)
            # NB: a generator that is left where it stands is closed by nobody, and complains.
            async with (
                aclosing(streams.lines(response.content.iter_any())) as events,
                aclosing(streams.disturbed(events, strike)) as pieces,
            ):
                async for piece in pieces:
                    await outgoing.write(piece)
        return outgoing

    def _ask(
        self, incoming: web.Request, request: Request
    ) -> aiohttp.client._RequestContextManager:
        headers = {each: incoming.headers[each] for each in _PASSED_ON if each in incoming.headers}
        return self._session.request(
            request.method,
            URL(self._server + incoming.raw_path, encoded=True),
            headers=headers | {"Accept-Encoding": "identity"},
            data=request.body or None,
            allow_redirects=False,
        )


@asynccontextmanager
async def _cut_off(response: aiohttp.ClientResponse) -> AsyncIterator[None]:
    """Break a watch off at its end: a farewell to the server may outlast the loop."""
    try:
        yield
    finally:
        connection = response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {each: response.headers[each] for each in _PASSED_BACK if each in response.headers}


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


async def _begin(incoming: web.Request, answer: Answer) -> None:
    """Promise the whole answer and give half of it."""
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    outgoing = web.StreamResponse(status=answer.status, headers=headers)
    with suppress(ConnectionError):
        await outgoing.prepare(incoming)
        await outgoing.write(answer.body[: len(answer.body) // 2])
