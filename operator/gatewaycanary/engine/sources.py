"""Events enqueue keys and never act.

A replica that does not lead enqueues nothing: once it leads it looks at every canary, and keys that
nobody takes would only grow old.
"""

from __future__ import annotations

from collections.abc import Callable

from gatewaycanary.api.status import Stage
from gatewaycanary.engine import relations
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.queue import Priority, Queue
from gatewaycanary.engine.relations import KIND, Key
from gatewaycanary.engine.statuses import stored_stage
from gatewaycanary.kube.resources import Object


def unobserved(key: Key) -> None:
    """Take no note of a fact's arrival."""


class Sources:
    """Turn changes of cached objects into keys on the queue.

    ``arrived`` is told of each change that concerns a canary.
    """

    def __init__(
        self,
        *,
        caches: Caches,
        queue: Queue[Key],
        excluded: frozenset[str] = frozenset(),
        arrived: Callable[[Key], None] = unobserved,
    ) -> None:
        self._caches = caches
        self._queue = queue
        self._excluded = excluded
        self._arrived = arrived
        self._open = False
        caches.subscribe(self.changed, presence=self._installed)

    def enqueue_all(self) -> None:
        """Enqueue every canary, and from now on those that a change concerns.

        A test may have failed while nobody led: that canary comes first, as one that is on its
        way back does.
        """
        self._open = True
        failed = self._with_failed_tests()
        for canary in self._caches.everywhere(KIND):
            key = (canary["metadata"]["namespace"], canary["metadata"]["name"])
            self._enqueue(key, Priority.ROLLBACK if key in failed else _resync(canary))

    def _with_failed_tests(self) -> set[Key]:
        pods = (pod for pod in self._caches.everywhere("Pod") if _phase(pod) == "Failed")
        return {key for pod in pods for key in relations.concerned(self._caches, "Pod", None, pod)}

    def _installed(self) -> None:
        """Look at every canary: a kind that it may need was installed, or taken away."""
        if self._open:
            self.enqueue_all()

    def enqueue(self, namespace: str, name: str) -> None:
        """Enqueue one canary."""
        self._enqueue((namespace, name), Priority.ACTIVE)

    def changed(self, kind: str, old: Object | None, new: Object | None) -> None:
        """Enqueue the canaries that a change concerns."""
        if not self._open:
            return
        urgent = kind == "Pod" and _phase(new) == "Failed" and _phase(old) != "Failed"
        priority = Priority.ROLLBACK if urgent else Priority.ACTIVE
        for key in relations.concerned(self._caches, kind, old, new):
            if self._enqueue(key, priority):
                self._arrived(key)

    def _enqueue(self, key: Key, priority: Priority) -> bool:
        served = self._open and key[0] not in self._excluded
        if served:
            self._queue.add(key, priority)
        return served


def _phase(obj: Object | None) -> str:
    return "" if obj is None else str((obj.get("status") or {}).get("phase", ""))


def _resync(canary: Object) -> Priority:
    stage = stored_stage(canary)
    if stage is Stage.ROLLING_BACK:
        return Priority.ROLLBACK
    return Priority.RESYNC if stage is Stage.RESTING else Priority.ACTIVE
