"""What the API server stored in one namespace, in the order in which it stored it.

One watch a resource fills the history. All objects of a cluster share one store, so their
resourceVersions order writes across kinds: a route write with a greater number than a status
write really came after it. Waiting is done here too, on the same events: a condition is looked
at again whenever something was stored, never after a pause.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from gatewaycanary.kube.resources import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    EVENT,
    GATEWAY_CANARY,
    HORIZONTAL_POD_AUTOSCALER,
    HTTP_ROUTE,
    INGRESS,
    JOB,
    POD,
    SERVICE,
    VIRTUAL_SERVICE,
    Object,
    Resource,
)
from proving.api import Api, RefusedError, Watch

T = TypeVar("T")

WATCHED = (
    GATEWAY_CANARY,
    INGRESS,
    DEPLOYMENT,
    SERVICE,
    ENDPOINT_SLICE,
    POD,
    JOB,
    HORIZONTAL_POD_AUTOSCALER,
    EVENT,
)


def watched(api: Api) -> tuple[Resource, ...]:
    """Name what there is to watch: always the same, and routes of providers that are installed."""
    return (*WATCHED, *(each for each in (VIRTUAL_SERVICE, HTTP_ROUTE) if api.serves(each)))


GONE = 410
"""What an API server says of a version that it no longer keeps."""

_AGAIN = 0.2
"""Seconds after which an API server that is away is asked again."""


class GapError(RuntimeError):
    """Raised when something was stored that can no longer be seen."""


class LateError(AssertionError):
    """Raised when what was waited for did not come in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One stored version of one object.

    ``version`` is its resourceVersion as a number, ``at`` the monotonic time it was seen here,
    ``deleted`` tells that this is the object's last version, ``by_hand`` that a person wrote it.
    """

    version: int
    at: float
    kind: str
    name: str
    object: Object
    deleted: bool = False
    by_hand: bool = False


class History:
    """Record a namespace while it lives, and wait for what is to be stored in it."""

    def __init__(
        self, api: Api, namespace: str, resources: Iterable[Resource] | None = None
    ) -> None:
        self.by_hand: set[int] = set()
        self.gaps: list[str] = []
        self._api = api
        self._namespace = namespace
        self._changed = threading.Condition()
        self._records: list[Record] = []
        self._current: dict[tuple[str, str], Object] = {}
        self._watches: dict[str, Watch] = {}
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=(resource,), daemon=True)
            for resource in resources or watched(api)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop recording."""
        with self._changed:
            self._ended.set()
            watches = list(self._watches.values())
        for watch in watches:
            watch.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def records(self, *kinds: str) -> list[Record]:
        """Give the records of these kinds (all, if none is named) in the order of storage."""
        with self._changed:
            chosen = [record for record in self._records if not kinds or record.kind in kinds]
            hands = self.by_hand
            marked = [
                replace(each, by_hand=True) if each.version in hands else each for each in chosen
            ]
        return sorted(marked, key=lambda record: record.version)

    def current(self, kind: str, name: str) -> Object | None:
        """Give an object's newest version, or None where there is none now."""
        with self._changed:
            return self._current.get((kind, name))

    def all_current(self, kind: str) -> list[Object]:
        """Give the newest versions of all objects of a kind that exist now."""
        with self._changed:
            return [found for (each, _), found in self._current.items() if each == kind]

    def wait(self, told: str, condition: Callable[[], T], *, timeout: float = 60.0) -> T:
        """Wait until the condition gives something true, and give that."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (found := condition()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise LateError(f"not within {timeout:.0f} s: {told}")
                self._changed.wait(left)
            return found

    def _follow(self, resource: Resource) -> None:
        listed = self._api.list(resource, self._namespace)
        self._api.close()
        for item in listed["items"]:
            self._store(resource, item, deleted=False)
        version = listed["metadata"]["resourceVersion"]
        while not self._ended.is_set():
            try:
                version = self._watch(resource, version)
            except GapError as gap:
                self.gaps.append(str(gap))
                raise
            except (OSError, http.client.HTTPException, RefusedError) as away:
                if isinstance(away, RefusedError) and away.status < 429:
                    raise
                # NB: an API server that is away is waited for; nothing tells when it is back.
                self._ended.wait(_AGAIN)

    def _watch(self, resource: Resource, version: str) -> str:
        """Record until the watch ends; give the version to go on from, so that nothing is missed.

        NB: a server that keeps a cache of its own and was started anew no longer knows old
        versions: the record would have a gap, and that is an error.
        """
        watch = self._api.watch(resource, self._namespace, version)
        with self._changed:
            self._watches[resource.plural] = watch
            if self._ended.is_set():
                watch.close()
        for kind, item in watch:
            if kind == "ERROR":
                if item.get("code") == GONE:
                    raise GapError(f"the watch of {resource.plural} has a gap: {item}")
                self._ended.wait(_AGAIN)
                break
            version = item["metadata"]["resourceVersion"]
            self._store(resource, item, deleted=kind == "DELETED")
        return version

    def _store(self, resource: Resource, item: Object, *, deleted: bool) -> None:
        record = Record(
            version=int(item["metadata"]["resourceVersion"]),
            at=time.monotonic(),
            kind=resource.kind,
            name=item["metadata"]["name"],
            object=item,
            deleted=deleted,
        )
        with self._changed:
            self._records.append(record)
            if deleted:
                self._current.pop((record.kind, record.name), None)
            else:
                self._current[record.kind, record.name] = item
            self._changed.notify_all()
