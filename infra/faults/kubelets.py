"""The kubelet of test pods on fake nodes: what runs there ends as the story says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gatewaycanary.core.naming import RUN_LABEL
from gatewaycanary.kube.resources import POD, Object
from proving import timelines
from proving.api import MERGE, Api, RefusedError
from proving.histories import History, LateError
from proving.invariants import environment

Verdict = Callable[[str, int], bool | None]
"""Say how a test of an image ends at a weight; None: it goes on running."""


class Kubelet:
    """End the test pods of one namespace as soon as they run."""

    def __init__(self, api: Api, history: History, verdict: Verdict) -> None:
        self._api = api
        self._history = history
        self._verdict = verdict
        self._ended: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._stopped.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            with suppress(LateError):
                for pod in self._history.wait("a test runs", self._due, timeout=0.5):
                    self._end(pod)
        self._api.close()

    def _due(self) -> list[Object]:
        return [
            pod
            for pod in running_tests(self._history)
            if pod["metadata"]["uid"] not in self._ended and self._passes(pod) is not None
        ]

    def _passes(self, pod: Object) -> bool | None:
        told = environment(pod)
        return self._verdict(told["GATEWAYCANARY_IMAGE"], int(told["GATEWAYCANARY_WEIGHT"]))

    def _end(self, pod: Object) -> None:
        metadata = pod["metadata"]
        self._ended.add(metadata["uid"])
        path = POD.path(
            namespace=metadata["namespace"], name=metadata["name"], subresource="status"
        )
        # NB: a pod that was deleted meanwhile needs no end.
        with suppress(RefusedError):
            status = ended(pod, passed=bool(self._passes(pod)))
            self._api.request("PATCH", path, {"status": status}, content=MERGE)


def running_tests(history: History) -> list[Object]:
    """Give the test pods that run now."""
    return [
        pod
        for pod in history.all_current("Pod")
        if RUN_LABEL in timelines.labels(pod)
        and timelines.status(pod).get("phase") == "Running"
        and "deletionTimestamp" not in pod["metadata"]
    ]


def ended(pod: Object, *, passed: bool) -> dict[str, Any]:
    """Give the status of a pod whose containers have ended."""
    reason = "Completed" if passed else "Error"
    terminated = {"exitCode": 0 if passed else 1, "reason": reason}
    containers = [
        {
            **each,
            "ready": False,
            "started": False,
            "state": {"terminated": terminated, "running": None},
        }
        for each in pod["status"]["containerStatuses"]
    ]
    phase = "Succeeded" if passed else "Failed"
    return {"phase": phase, "containerStatuses": containers}
