"""Keep a store true: list once, then watch for ever.

starting ──list──▶ following ◀──list── (410: too old)
    │                  │
    ├── 404 ──▶ absent ┘      the resource's CRD is not installed; asked again, slowly or when told
    └── error ─▶ starting     asked again after a backoff

The list comes in pages, each trimmed and forgotten before the next. The watch asks for bookmarks,
so that a quiet resource's version moves on and a reconnect after hours needs no new list. A stream
that brings nothing at all within the inactivity time, not even a bookmark, is taken for dead. A
stream that ends before it brought anything counts as a failure, or a server that accepts and hangs
up would be asked in a tight loop; one that lasted a while is no further failure in a row: what cuts
idle connections again and again must not make us deaf for ever longer.

A 410 means that events were lost: the store is listed anew, and what the list lacks is deleted in
the store as if the watch had told it. A server that was started anew says so of most kinds: it is
an answer, so it is listed soon, however long the server was away before; only a 410 that comes
again, without an event in between, is paused after.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress
from enum import Enum
from random import Random
from typing import Final, Generic, NoReturn, TypeVar

from gatewaycanary.kube.backoff import Backoff
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import (
    GoneError,
    KubeError,
    NotFoundError,
    ThrottledError,
    UnreachableError,
)
from gatewaycanary.kube.resources import Resource
from gatewaycanary.kube.store import Key, Store

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PAGE: Final = 500
_STREAM_SECONDS: Final = 300
_WHILE: Final = 5.0


class State(Enum):
    """Tell how far a reflector has come."""

    STARTING = "starting"
    FOLLOWING = "following"
    ABSENT = "absent"


class Reflector(Generic[T]):
    """Fill one store from one resource, everywhere or in one namespace, all or by selector.

    `synced` is set once the store tells the truth for the first time: the list is in, or the
    resource is known not to exist.
    """

    def __init__(
        self,
        *,
        client: Client,
        resource: Resource,
        store: Store[T],
        rng: Random,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        inactivity: float = 150.0,
        backoff: tuple[float, float] = (0.2, 10.0),
        absent_backoff: tuple[float, float] = (5.0, 60.0),
        lasting: float = _WHILE,
        on_presence: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self.resource = resource
        self.store = store
        self._rng = rng
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._inactivity = inactivity
        self._backoff = Backoff(first=backoff[0], limit=backoff[1], rng=rng)
        self._absent_backoff = Backoff(first=absent_backoff[0], limit=absent_backoff[1], rng=rng)
        self._failures = 0
        self._absences = 0
        self._lasting = lasting
        self._expiries = 0
        self._version = ""
        self.on_presence = on_presence
        self._recheck = asyncio.Event()
        self.state = State.STARTING
        self.synced = asyncio.Event()

    def recheck(self) -> None:
        """Ask again at once for a resource that was absent: its CRD has come, or has changed."""
        if self.state is not State.FOLLOWING:
            self._recheck.set()

    async def run(self) -> NoReturn:
        """Follow the resource until cancelled."""
        while True:
            try:
                if self.state is not State.FOLLOWING:
                    await self._list()
                await self._follow()
            except NotFoundError as error:
                await self._absent(error)
            except GoneError as error:
                self.state = State.STARTING
                await self._expired(error)
            except KubeError as error:
                await self._failed(error)

    async def _list(self) -> None:
        self._recheck.clear()
        seen: set[Key] = set()
        page: str | None = None
        while True:
            answer = await self._client.list(
                self.resource,
                namespace=self._namespace,
                label_selector=self._label_selector,
                field_selector=self._field_selector,
                limit=_PAGE,
                page=page,
            )
            seen |= self.store.load(answer["items"])
            page = answer["metadata"].get("continue")
            if not page:
                break
        self.store.sweep(seen, int(answer["metadata"]["resourceVersion"]))
        self._version = str(answer["metadata"]["resourceVersion"])
        self._failures = 0
        self._become(State.FOLLOWING)

    def _become(self, state: State) -> None:
        came_or_went = self.state is not state and State.ABSENT in (self.state, state)
        first = not self.synced.is_set()
        self.state = state
        self._absences = self._absences if state is State.ABSENT else 0
        self.synced.set()
        if came_or_went and not first:
            self.on_presence()

    async def _follow(self) -> None:
        """Watch, and watch again when the server ends a stream that was alive."""
        while await self._watch():
            pass
        raise UnreachableError(f"a watch of {self.resource.plural} ended without an event")

    async def _watch(self) -> bool:
        brought = False
        observe = self.store.observe
        events = self._client.watch(
            self.resource,
            namespace=self._namespace,
            resource_version=self._version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            seconds=_STREAM_SECONDS + self._rng.randrange(_STREAM_SECONDS),
            inactivity=self._inactivity,
        )
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with aclosing(events):
                async for event in events:
                    obj = event["object"]
                    observe(event["type"], obj)
                    self._version = obj["metadata"]["resourceVersion"]
                    brought = True
                    self._failures = self._expiries = 0
        finally:
            if clock() - began >= self._lasting:
                self._failures = 0
        return brought

    async def _absent(self, error: KubeError) -> None:
        self.store.clear()
        if self.state is not State.ABSENT:
            _log.info("%s: not installed: %s", self.resource.plural, error)
        self._become(State.ABSENT)
        # NB: a clear answer is no failure; counted as one, a long absence would slow the start.
        self._failures = 0
        self._absences += 1
        await self._wait(self._absent_backoff.delay(self._absences))

    async def _expired(self, error: GoneError) -> None:
        self._failures = 0
        self._expiries += 1
        delay = self._backoff.delay(self._expiries)
        _log.info("%s: %s; listed anew in %.1f s", self.resource.plural, error, delay)
        await self._wait(delay)

    async def _failed(self, error: KubeError) -> None:
        self._failures += 1
        delay = self._backoff.delay(self._failures)
        if isinstance(error, ThrottledError):
            delay = max(delay, error.retry_after or 0.0)
        _log.warning("%s: %s; again in %.1f s", self.resource.plural, error, delay)
        await self._wait(delay)

    async def _wait(self, delay: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._recheck.wait()
