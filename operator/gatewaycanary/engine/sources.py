"""Which canaries an event concerns: events enqueue keys and never act."""

from __future__ import annotations

from collections.abc import Iterable

from gatewaycanary.core import lookups, naming
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.queue import Priority, Queue
from gatewaycanary.kube.resources import Object

Key = tuple[str, str]
"""Namespace and name of a GatewayCanary."""

BY_LABEL = frozenset({"Pod", "Job"})
BY_NAME = frozenset({"Deployment"})
KIND = "GatewayCanary"


class Sources:
    """Turn changes of cached objects into keys on the queue."""

    def __init__(
        self, *, caches: Caches, queue: Queue[Key], excluded: frozenset[str] = frozenset()
    ) -> None:
        self._caches = caches
        self._queue = queue
        self._excluded = excluded
        caches.subscribe(self.changed)

    def changed(self, kind: str, old: Object | None, new: Object | None) -> None:
        """Enqueue the canaries that a change concerns."""
        obj = new if new is not None else old
        if obj is None or obj["metadata"].get("namespace") in self._excluded:
            return
        urgent = kind == "Pod" and _phase(new) == "Failed" and _phase(old) != "Failed"
        priority = Priority.ROLLBACK if urgent else Priority.ACTIVE
        for key in self._concerned(kind, obj, old, new):
            self._queue.add(key, priority)

    def enqueue(self, namespace: str, name: str) -> None:
        """Enqueue one canary."""
        if namespace not in self._excluded:
            self._queue.add((namespace, name), Priority.ACTIVE)

    def enqueue_all(self) -> None:
        """Enqueue every canary: a new leader looks at all of them once."""
        for canary in self._caches.everywhere(KIND):
            metadata = canary["metadata"]
            if metadata["namespace"] not in self._excluded:
                self._queue.add((metadata["namespace"], metadata["name"]), _resync(canary))

    def _concerned(
        self, kind: str, obj: Object, old: Object | None, new: Object | None
    ) -> Iterable[Key]:
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "")
        if kind == KIND:
            own = (namespace, metadata["name"])
            same_spec = old is not None and new is not None and old["spec"] == new["spec"]
            return [own] if same_spec else [own, *self._in(namespace)]
        if kind in BY_LABEL:
            owner = metadata.get("labels", {}).get(naming.CANARY_LABEL)
            return [(namespace, owner)] if owner else []
        if kind == "EndpointSlice":
            filed = lookups.tokens(kind, obj)
        elif kind in BY_NAME:
            filed = (lookups.token(kind, metadata["name"]),)
        else:
            return self._in(namespace)
        return [key for token in filed for key in self._filed(namespace, token)]

    def _in(self, namespace: str) -> list[Key]:
        return [
            (namespace, canary["metadata"]["name"]) for canary in self._caches.list(KIND, namespace)
        ]

    def _filed(self, namespace: str, token: str) -> list[Key]:
        return [
            (namespace, canary["metadata"]["name"])
            for canary in self._caches.filed(KIND, namespace, token)
        ]


def _phase(obj: Object | None) -> str:
    return "" if obj is None else str(obj.get("status", {}).get("phase", ""))


def _resync(canary: Object) -> Priority:
    stage = canary.get("status", {}).get("state", {}).get("stage", "Resting")
    if stage == "RollingBack":
        return Priority.ROLLBACK
    return Priority.RESYNC if stage == "Resting" else Priority.ACTIVE
