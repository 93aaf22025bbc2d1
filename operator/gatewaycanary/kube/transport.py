"""One request to the API server: limited, fenced, timed, counted, and its errors put in our words.

Nothing is tried again here: who asked decides, because only they know whether the answer still
matters. The one exception is the connection pool's own: an idle connection that the server had
closed is replaced, for methods that are safe to send twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp
import orjson
from yarl import URL

from gatewaycanary.kube.connection import Connection
from gatewaycanary.kube.errors import ApiError, UnreachableError, from_status
from gatewaycanary.kube.limiter import Limiter

JSON_PATCH = "application/json-patch+json"

Fence = Callable[[], float]
"""Return for how many seconds a write may be under way; raise FencedError if none may go out."""


class Observer(Protocol):
    """Be told of each request when its answer begins; `code` is 0 where none came."""

    def __call__(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Note one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Describe one request; `resource` is its plural, with the subresource if there is one."""

    method: str
    verb: str
    resource: str
    path: str
    timeout: float
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    urgent: bool = False


def unobserved(verb: str, resource: str, code: int, seconds: float) -> None:
    """Take no note of a request."""


class Transport:
    """Send requests over one pool of connections."""

    def __init__(
        self, connection: Connection, *, limiter: Limiter, observer: Observer = unobserved
    ) -> None:
        self._connection = connection
        self._limiter = limiter
        self._observer = observer
        self._server = connection.server
        self._proxy = connection.proxy
        self._server_hostname = connection.tls_server_name
        self._session = connection.open_session()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def send(self, request: Request, *, fence: Fence | None = None) -> bytes:
        """Send a request and return the body of the answer; raise a KubeError for all else."""
        headers = await self._admit(request)
        # NB: asked after the wait for a token, which may have outlasted the lease.
        seconds = request.timeout if fence is None else min(request.timeout, fence())
        limits = aiohttp.ClientTimeout(total=seconds)
        async with self._answer(request, headers, limits) as response:
            return await response.read()

    @asynccontextmanager
    async def stream(
        self, request: Request, *, inactivity: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a request and give its answer in chunks, for as long as they keep coming."""
        headers = await self._admit(request)
        limits = aiohttp.ClientTimeout(total=None, sock_read=inactivity)
        async with self._answer(request, headers, limits) as response:
            yield response.content.iter_any()

    async def _admit(self, request: Request) -> dict[str, str]:
        await self._limiter.acquire(urgent=request.urgent)
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        with _in_our_words(request):
            authorization = await self._connection.authorization()
        if authorization is not None:
            headers["Authorization"] = authorization
        return headers

    @asynccontextmanager
    async def _answer(
        self, request: Request, headers: dict[str, str], limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        with _in_our_words(request):
            async with await self._headers(request, headers, limits) as response:
                if response.status >= 300:
                    raise await self._refused(request, response)
                yield response

    async def _headers(
        self, request: Request, headers: dict[str, str], limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        clock = asyncio.get_running_loop().time
        started = clock()
        code = 0
        try:
            async with asyncio.timeout(request.timeout):
                response = await self._session.request(
                    request.method,
                    self._url(request),
                    data=request.body,
                    headers=headers,
                    timeout=limits,
                    allow_redirects=False,
                    proxy=self._proxy,
                    server_hostname=self._server_hostname,
                )
            code = response.status
        finally:
            self._observer(request.verb, request.resource, code, clock() - started)
        return response

    def _url(self, request: Request) -> URL:
        url = URL(self._server + request.path, encoded=True)
        return url.with_query(request.query) if request.query else url

    async def _refused(self, request: Request, response: aiohttp.ClientResponse) -> ApiError:
        if response.status == 401:
            self._connection.expire()
        raw = await response.read()
        body: object
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = raw[:500].decode(errors="replace")
        return from_status(
            response.status,
            body,
            retry_after=response.headers.get("Retry-After"),
            json_patch=request.content_type == JSON_PATCH,
        )


@contextmanager
def _in_our_words(request: Request) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        # NB: a TimeoutError is an OSError, and most of them say nothing.
        said = str(error) or type(error).__name__
        raise UnreachableError(f"{request.method} {request.path}: {said}") from error
