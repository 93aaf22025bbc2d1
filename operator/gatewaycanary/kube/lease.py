"""Who may write: leader election on a Lease, by the same rules as client-go's, so that both agree.

A lease is held for `duration` seconds after its last change *as seen here*: the clocks of others
are never compared with ours. The holder renews each `retry` seconds and counts its own right from
the moment before the request that renewed it was sent, for `deadline` < `duration` seconds only: it
falls silent before anybody can follow. `fence` is asked before each write and raises FencedError
from that moment on. It also bounds how long the write may take, so that none is still under way
when the lease could pass on.

A restarted process that finds the lease under its own name goes on with it at once.

A standby costs no requests: it watches the Lease and acts when it is freed, or when nothing has
changed it for its duration. A clean shutdown empties the holder, and the successor takes over at
once.

NB: the fence's clock must not stand still while the machine sleeps, or a holder that was suspended
would wake up believing. Linux's monotonic clock does, its boot-time clock does not.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, NoReturn

from gatewaycanary.kube.backoff import Backoff
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import (
    ConflictError,
    FencedError,
    KubeError,
    NotFoundError,
    UnreachableError,
)
from gatewaycanary.kube.resources import LEASE, Object

_log = logging.getLogger(__name__)

_WATCH_SECONDS: Final = 3600


def boot_clock() -> float:
    """Return seconds that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Say how long a lease holds, how long its holder trusts it, and how often it is renewed."""

    duration: int = 15
    deadline: float = 10.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        if not self.retry < self.deadline < self.duration:
            raise ValueError("a lease needs retry < deadline < duration")


_DEFAULT: Final = Terms()


class Lease:
    """Take part in the election for one Lease under one identity."""

    def __init__(
        self,
        *,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        rng: Random,
        terms: Terms = _DEFAULT,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._place = {"namespace": namespace, "name": name}
        self._identity = identity
        self._terms = terms
        self._clock = clock
        self._backoff = Backoff(first=terms.retry, limit=terms.retry, rng=rng)
        self._renewed: float | None = None
        self._since = ""
        self._seen: Object = {}
        self._seen_at = clock()
        self.leading = asyncio.Event()

    @property
    def is_leader(self) -> bool:
        """Return whether a write may go out now."""
        return self._remaining() > 0.0

    def fence(self) -> float:
        """Return how long a write may take that is sent now; raise FencedError if none may be."""
        if self._remaining() <= 0.0:
            raise FencedError(f"{self._identity} does not hold {self._namespace}/{self._name}")
        return self._remaining() + self._terms.duration - self._terms.deadline

    async def run(self) -> NoReturn:
        """Stand by, lead, and raise FencedError once the lease is lost; free it when cancelled."""
        await self._acquire()
        _log.info("%s leads by %s/%s", self._identity, self._namespace, self._name)
        self.leading.set()
        try:
            await self._lead()
        except asyncio.CancelledError:
            self._renewed = None
            await self._release()
            raise
        finally:
            self._renewed = None
            self.leading.clear()

    def _remaining(self) -> float:
        if self._renewed is None:
            return 0.0
        return self._renewed + self._terms.deadline - self._clock()

    async def _acquire(self) -> None:
        failures = 0
        while True:
            try:
                if await self._try():
                    return
                await self._stand_by()
                failures = 0
            except KubeError as error:
                # NB: a conflict is a step that somebody else has taken: look again at once. What is
                # not found is the namespace, and stays so until somebody makes it.
                if isinstance(error, ConflictError) and not isinstance(error, NotFoundError):
                    continue
                failures += 1
                _log.warning("standing by for the lease: %s", error)
                await asyncio.sleep(self._backoff.delay(failures))

    async def _try(self) -> bool:
        """Look at the lease and take it if nobody holds it."""
        sent = self._clock()
        try:
            self._note(await self._client.get(LEASE, **self._place, urgent=True))
        except NotFoundError:
            answer = await self._create()
        else:
            if self._free_in() > 0.0:
                return False
            sent = self._clock()
            answer = await self._take()
        self._since = answer["spec"]["acquireTime"]
        self._renewed = sent
        return True

    async def _create(self) -> Object:
        body = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name},
            "spec": self._ours(transitions=0),
        }
        return await self._client.create(LEASE, body, namespace=self._namespace, urgent=True)

    async def _take(self) -> Object:
        transitions = self._seen["spec"].get("leaseTransitions") or 0
        patch = {
            "metadata": {"resourceVersion": self._seen["metadata"]["resourceVersion"]},
            "spec": self._ours(transitions=transitions + 1),
        }
        return await self._client.merge_patch(LEASE, patch, **self._place, urgent=True)

    def _ours(self, *, transitions: int) -> Object:
        now = _now()
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._terms.duration,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    def _note(self, lease: Object) -> None:
        if lease.get("spec") != self._seen.get("spec"):
            self._seen_at = self._clock()
        self._seen = lease

    def _free_in(self) -> float:
        """Return in how many seconds the lease is free if its holder stays silent."""
        spec = self._seen.get("spec") or {}
        holder = spec.get("holderIdentity")
        if not holder or holder == self._identity:
            return 0.0
        duration = spec.get("leaseDurationSeconds") or self._terms.duration
        return float(self._seen_at + duration - self._clock())

    async def _stand_by(self) -> None:
        """Return when the lease was freed, or silent for its duration, or the watch has ended."""
        events = self._client.watch(
            LEASE,
            namespace=self._namespace,
            resource_version=self._seen["metadata"]["resourceVersion"],
            field_selector=f"metadata.name={self._name}",
            seconds=_WATCH_SECONDS,
            inactivity=_WATCH_SECONDS,
        )
        now = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            async with asyncio.timeout(self._free_in()) as limit, aclosing(events):
                async for event in events:
                    self._observe(event)
                    if self._free_in() <= 0.0:
                        return
                    limit.reschedule(now() + self._free_in())
                raise UnreachableError("the watch of the lease ended")

    def _observe(self, event: Object) -> None:
        if event["type"] == "DELETED":
            self._seen = {}
        elif event["type"] != "BOOKMARK":
            self._note(event["object"])

    async def _lead(self) -> NoReturn:
        while (remaining := self._remaining()) > 0.0:
            await asyncio.sleep(min(self._terms.retry, remaining))
            try:
                async with asyncio.timeout(min(self._terms.deadline / 2, self._remaining())):
                    await self._renew()
            except (KubeError, TimeoutError) as error:
                if _is_lost(error):
                    raise FencedError(f"{self._identity} has lost the lease: {error}") from error
                _log.warning("the lease could not be renewed: %r", error)
        raise FencedError(f"{self._identity} could not renew the lease in time")

    async def _renew(self) -> None:
        sent = self._clock()
        await self._claim({"op": "replace", "path": "/spec/renewTime", "value": _now()})
        self._renewed = sent

    async def _release(self) -> None:
        with suppress(KubeError, TimeoutError):
            async with asyncio.timeout(self._terms.retry):
                await self._claim({"op": "replace", "path": "/spec/holderIdentity", "value": ""})

    async def _claim(self, operation: Object) -> None:
        """Change the lease only if it is still ours, whatever else has changed in it.

        NB: when it was acquired is tested too. Two processes may go by one name, as in two pods on
        one host's network; the elder must notice that the younger has taken its lease.
        """
        tests: list[Object] = [
            {"op": "test", "path": "/spec/holderIdentity", "value": self._identity},
            {"op": "test", "path": "/spec/acquireTime", "value": self._since},
        ]
        await self._client.json_patch(LEASE, [*tests, operation], **self._place, urgent=True)


def _is_lost(error: Exception) -> bool:
    """Tell whether the lease is no longer ours: it is another's, or gone.

    NB: a 409 says only that many write it at once; that it is another's the failed test says.
    """
    return isinstance(error, ConflictError) and error.status != 409


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
