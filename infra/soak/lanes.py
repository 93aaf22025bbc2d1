"""Rollouts one after the other on one gateway after the other, many lanes side by side."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from random import Random
from typing import Any

from gatewaycanary.kube.resources import DEPLOYMENT, GATEWAY_CANARY, Object
from proving import timelines
from proving.api import Api, RefusedError
from soak import gateways
from soak.followers import BAD, Canaries

BAD_SHARE = 0.2
AGAIN_SHARE = 0.5
"""How often a canary is asked for another image instead of being deleted."""

MOVES = 10
"""Rollouts after which a gateway is taken away for one of another name."""

PATIENCE = 180.0
TRIES = 4
TROUBLES = (OSError, HTTPException, RefusedError)
_RESTING = {"Succeeded", "Failed", "Invalid", "Idle"}


@dataclass(slots=True)
class Course:
    """How many rollouts are to be, and have been; shared by all lanes."""

    wanted: int
    until: float
    started: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> int:
        """Count the rollouts that have ended."""
        return sum(self.endings.values())

    def take(self) -> int:
        """Give the number of the next rollout, or 0 where there is none any more."""
        with self.lock:
            if self.started >= self.wanted or time.monotonic() > self.until:
                return 0
            self.started += 1
            return self.started

    def note(self, phase: str, trouble: str) -> None:
        """Note how a rollout has ended."""
        with self.lock:
            self.endings[phase or "none"] += 1
            if trouble:
                self.troubles.append(trouble)


class Lane:
    """One person's work: a gateway, a canary for it, an image, another image, another gateway."""

    def __init__(self, number: int, *, api: Api, canaries: Canaries, course: Course) -> None:
        self._number, self._api, self._canaries, self._course = number, api, canaries, course
        self._rng = Random(number)
        self._gateway = ""
        self._canary = ""
        self._moves = 0

    def run(self) -> None:
        """Roll out until there is nothing left to do, and leave nothing."""
        try:
            self._run()
        except TROUBLES as error:
            self._course.troubles.append(f"lane {self._number} ended: {error!r}")
        finally:
            self._api.close()

    def _run(self) -> None:
        rollouts = 0
        while number := self._course.take():
            if rollouts % MOVES == 0:
                self._move()
            rollouts += 1
            self._roll_out(number)
            if self._rng.random() >= AGAIN_SHARE:
                self._forget()
        self._forget()
        if self._gateway:
            gateways.delete(self._api, self._canaries.namespace, self._gateway)

    def _move(self) -> None:
        self._forget()
        namespace = self._canaries.namespace
        if self._gateway:
            gateways.delete(self._api, namespace, self._gateway)
        self._moves += 1
        self._gateway = f"g{self._number}-{self._moves}"
        gateways.create(self._api, namespace, self._gateway)
        until = time.monotonic() + PATIENCE
        while not self._stable_is_ready() and time.monotonic() < until:
            time.sleep(0.5)

    def _stable_is_ready(self) -> bool:
        found = self._api.get(DEPLOYMENT, self._gateway, self._canaries.namespace)
        return bool(timelines.status(found).get("readyReplicas"))

    def _roll_out(self, number: int) -> None:
        bad = self._rng.random() < BAD_SHARE
        image = f"localhost/podinfo:{BAD if bad else 'good'}-{number}"
        self._canary = self._canary or f"c{number}"
        body = {
            "apiVersion": GATEWAY_CANARY.api_version,
            "kind": GATEWAY_CANARY.kind,
            "metadata": {"name": self._canary},
            "spec": _spec(self._gateway, image),
        }
        _persist(lambda: self._api.apply(GATEWAY_CANARY, body, self._canaries.namespace))
        ended = self._canaries.wait(self._canary, lambda one: _rests(one, image), PATIENCE)
        status = timelines.status(ended) if ended else {}
        phase = str(status.get("phase", ""))
        wrong = phase != ("Failed" if bad else "Succeeded") or not _rests(ended, image)
        trouble = f"{self._canary} with {image}: {phase}: {status.get('message')}"
        self._course.note(phase, trouble if wrong else "")

    def _forget(self) -> None:
        if not self._canary:
            return
        name, self._canary = self._canary, ""
        _persist(lambda: self._api.delete(GATEWAY_CANARY, name, self._canaries.namespace))
        left = self._canaries.wait(name, lambda one: one is None, PATIENCE)
        if left is not None:
            self._course.troubles.append(f"{name} does not go")


def _persist(request: Callable[[], object]) -> None:
    """Send an idempotent request again where the connection broke; a machine may be very busy."""
    for _ in range(TRIES):
        with suppress(OSError, HTTPException):
            request()
            return
        time.sleep(1.0)
    request()


def _spec(gateway: str, image: str) -> dict[str, Any]:
    return {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": gateway},
        "image": image,
        "traffic": {"nginx": {"ingress": gateway}, "settle": "0s"},
        "steps": [{"weight": 50}, {"weight": 100}],
        "canary": {"scaleDownDelay": "0s"},
        "tests": [{"helm": {"release": "gateway"}, "timeout": "2m"}],
        "progressDeadline": "3m",
    }


def _rests(canary: Object | None, image: str) -> bool:
    if canary is None:
        return False
    status = timelines.status(canary)
    seen = status.get("observedGeneration", 0) >= canary["metadata"]["generation"]
    return seen and status.get("phase") in _RESTING and status.get("canaryImage") == image
