"""One Lease on a server, and clients that can be cut off from it, in virtual time."""

import asyncio
import copy
from collections.abc import AsyncGenerator, Callable
from typing import Any

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import UnreachableError, from_status
from gatewaycanary.kube.resources import Object


def refused(code: int, reason: str = "", **details: Any) -> Exception:
    """Return the error that the client would raise for such an answer."""
    return from_status(code, {"reason": reason, "details": details}, json_patch=True)


class LeaseServer:
    """Hold at most one Lease, compare and set it, and tell those who watch it."""

    def __init__(self) -> None:
        self.lease: Object | None = None
        self.version = 0
        self.holders: list[str] = []
        self.watchers: list[asyncio.Queue[Object]] = []

    def store(self, lease: Object) -> Object:
        """Keep a new state and tell it."""
        self.version += 1
        lease = copy.deepcopy(lease)
        lease["metadata"]["resourceVersion"] = str(self.version)
        holder = lease["spec"]["holderIdentity"]
        if not self.holders or self.holders[-1] != holder:
            self.holders.append(holder)
        self.lease = lease
        self._tell("MODIFIED", lease)
        return copy.deepcopy(lease)

    def delete(self) -> None:
        """Delete the Lease, as a person would."""
        self.version += 1
        self._tell("DELETED", {"metadata": {"resourceVersion": str(self.version)}})
        self.lease = None

    def _tell(self, kind: str, obj: Object) -> None:
        for watcher in self.watchers:
            watcher.put_nowait({"type": kind, "object": copy.deepcopy(obj)})


class LeaseClient(Client):
    """Reach a LeaseServer over a line that has a delay and can be cut."""

    def __init__(self, server: LeaseServer, *, delay: float = 0.01) -> None:
        self._server = server
        self.delay = delay
        self.cut = False
        self.lose_answers = False
        self.busy = False
        self.requests = 0

    async def get(self, *_: Any, **__: Any) -> Object:
        """Return the Lease."""
        return await self._over_the_line(self._get)

    async def create(self, *args: Any, **_: Any) -> Object:
        """Create the Lease."""
        return await self._over_the_line(lambda: self._create(args[1]))

    async def merge_patch(self, *args: Any, **_: Any) -> Object:
        """Change the Lease if its version is the named one."""
        return await self._over_the_line(lambda: self._merge(args[1]))

    async def json_patch(self, *args: Any, **_: Any) -> Object:
        """Change the Lease if the tested holder holds it."""
        return await self._over_the_line(lambda: self._claim(*args[1]))

    async def watch(self, *_: Any, **kwargs: Any) -> AsyncGenerator[Object, None]:
        """Yield what happens to the Lease after the named version."""
        self.requests += 1
        events: asyncio.Queue[Object] = asyncio.Queue()
        if self._server.lease and kwargs["resource_version"] != str(self._server.version):
            events.put_nowait({"type": "MODIFIED", "object": copy.deepcopy(self._server.lease)})
        self._server.watchers.append(events)
        try:
            while True:
                yield await events.get()
        finally:
            self._server.watchers.remove(events)

    async def _over_the_line(self, act: Callable[[], Object]) -> Object:
        self.requests += 1
        await asyncio.sleep(self.delay)
        if self.cut:
            await asyncio.sleep(10)
            raise UnreachableError("time-out")
        answer = act()
        if self.lose_answers:
            raise UnreachableError("reset")
        await asyncio.sleep(self.delay)
        return answer

    def _get(self) -> Object:
        if self._server.lease is None:
            raise refused(404, "NotFound")
        return copy.deepcopy(self._server.lease)

    def _create(self, obj: Object) -> Object:
        if self._server.lease is not None:
            raise refused(409, "AlreadyExists")
        return self._server.store(obj)

    def _merge(self, patch: Object) -> Object:
        lease = self._get()
        if patch["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"]:
            raise refused(409, "Conflict")
        lease["spec"].update(patch["spec"])
        return self._server.store(lease)

    def _claim(self, *operations: Object) -> Object:
        lease = self._get()
        if self.busy:
            raise refused(409, "Conflict")
        for operation in operations:
            field = operation["path"].removeprefix("/spec/")
            if operation["op"] == "replace":
                lease["spec"][field] = operation["value"]
            elif lease["spec"][field] != operation["value"]:
                raise refused(422, "Invalid")
        return self._server.store(lease)
