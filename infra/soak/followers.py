"""What happens in a namespace, as far as lanes and test pods need it; nothing is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from faults.kubelets import ended
from gatewaycanary.core.naming import RUN_LABEL
from gatewaycanary.kube.resources import GATEWAY_CANARY, POD, Object, Resource
from proving import timelines
from proving.api import MERGE, Api, RefusedError, Watch
from proving.invariants import environment

BAD = "bad"
"""What the tag of an image begins with whose tests fail."""


class Follower:
    """Follow one kind in one namespace, in a thread, over broken watches and old versions."""

    def __init__(self, api: Api, resource: Resource, namespace: str) -> None:
        self.api, self.resource, self.namespace = api, resource, namespace
        self._ended = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def seen(self, kind: str, obj: Object) -> None:
        """Be told of an event: ADDED, MODIFIED or DELETED."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._ended.set()
        if self._watch is not None:
            self._watch.close()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError, RefusedError):
                self._follow()
            self._ended.wait(0.2)
        self.api.close()

    def _follow(self) -> None:
        listed = self.api.list(self.resource, self.namespace)
        for obj in listed["items"]:
            self.seen("ADDED", obj)
        version = listed["metadata"]["resourceVersion"]
        self._watch = self.api.watch(self.resource, self.namespace, version)
        for kind, obj in self._watch:
            if kind == "ERROR":
                return
            self.seen(kind, obj)


class Canaries(Follower):
    """The newest of every GatewayCanary."""

    def __init__(self, api: Api, namespace: str) -> None:
        super().__init__(api, GATEWAY_CANARY, namespace)
        self._newest: dict[str, Object] = {}
        self._changed = threading.Condition()

    def seen(self, kind: str, obj: Object) -> None:
        """Keep it, or forget it."""
        name = obj["metadata"]["name"]
        with self._changed:
            if kind == "DELETED":
                self._newest.pop(name, None)
            else:
                self._newest[name] = obj
            self._changed.notify_all()

    def names(self) -> set[str]:
        """Name those that are there."""
        with self._changed:
            return set(self._newest)

    def wait(
        self, name: str, condition: Callable[[Object | None], bool], timeout: float
    ) -> Object | None:
        """Wait until one is as wanted; give it as it is then, or at the end of the time."""
        with self._changed:
            self._changed.wait_for(lambda: condition(self._newest.get(name)), timeout)
            return self._newest.get(name)


class TestPods(Follower):
    """The kubelet of test pods: each ends as its image says."""

    def __init__(self, api: Api, namespace: str) -> None:
        super().__init__(api, POD, namespace)

    def seen(self, kind: str, obj: Object) -> None:
        """End a test that runs."""
        runs = timelines.status(obj).get("phase") == "Running"
        going = "deletionTimestamp" in obj["metadata"]
        if kind == "DELETED" or going or not runs or RUN_LABEL not in timelines.labels(obj):
            return
        tag = environment(obj)["GATEWAYCANARY_IMAGE"].rpartition(":")[2]
        name = obj["metadata"]["name"]
        path = POD.path(namespace=self.namespace, name=name, subresource="status")
        with suppress(RefusedError):
            status = ended(obj, passed=not tag.startswith(BAD))
            self.api.request("PATCH", path, {"status": status}, content=MERGE)
