"""One rollout behind a proxy of its own, from an empty namespace to its judgement."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from devcluster import Cluster
from faults import costs
from faults.keepers import Keeper
from faults.kubelets import Kubelet, running_tests
from faults.plans import Plan
from faults.proxy import Proxy
from faults.scenarios import OTHER, WANTED, Shape, Story
from gatewaycanary.kube.resources import GATEWAY_CANARY, LEASE, Object
from proving import clusters, invariants, leftovers, timelines
from proving.api import Api
from proving.histories import History, LateError
from proving.operators import SYSTEM, Operator

CHART: Final = Path(__file__).parent / "chart"
TRAFFIC: Final = {
    "nginx": {"nginx": {"ingress": "gateway"}},
    "istio": {"istio": {"virtualService": "gateway"}},
}
PATIENCE: Final = 240.0
"""Seconds that a rollout may take with everything that goes wrong."""

_RESTING: Final = {"Succeeded", "Failed", "Invalid", "Idle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one rollout.

    ``requests`` are all that the operator sent but watches and those about its Lease, from its
    start until nothing of it was left to do, its restarts included; ``effects`` are the writes
    among them. ``files`` and ``memory`` (MiB) are what the last process held at the end.
    ``revert`` is how many seconds after a test's failure the weight was 0.
    """

    shape: Shape
    seconds: float
    phase: str
    requests: int
    effects: int
    restarts: int
    files: int
    memory: int
    revert: float | None
    counts: dict[str, int]
    strokes: list[str]
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rollouts run; ``credentials`` are the operator's, logs go to ``folder``."""

    cluster: Cluster
    api: Api
    credentials: Path
    folder: Path


def run(place: Place, shape: Shape, plan: Plan | None) -> Outcome:
    """Play one rollout and judge it by itself; without a plan nothing goes wrong."""
    with _staged(place, shape, plan) as rollout:
        return rollout.play()


@contextmanager
def _staged(place: Place, shape: Shape, plan: Plan | None) -> Iterator[Rollout]:
    api, name = place.api, f"faults-{uuid.uuid4().hex[:8]}"
    with ExitStack() as stack:
        stack.callback(api.close)
        clusters.create_namespace(api, name)
        stack.callback(clusters.remove_namespace, api, name)
        history = History(api, name)
        stack.callback(history.close)
        proxy = Proxy(server=api.server, authority=api.authority, plan=plan)
        proxy.start()
        stack.callback(proxy.close)
        kubeconfig = proxy.credentials(place.credentials, place.folder / f"{name}.kubeconfig")
        stack.callback(kubeconfig.unlink)
        log = place.folder / f"{name}.log"
        keeper = Keeper(Operator(kubeconfig=kubeconfig, namespace=name, log=log))
        stack.callback(api.delete, LEASE, name, SYSTEM)
        stack.callback(keeper.stop)
        kubelet = Kubelet(api, history, shape.verdict)
        kubelet.start()
        stack.callback(kubelet.stop)
        yield Rollout(
            place=place, shape=shape, namespace=name, history=history, proxy=proxy, keeper=keeper
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A staged rollout."""

    place: Place
    shape: Shape
    namespace: str
    history: History
    proxy: Proxy
    keeper: Keeper

    def play(self) -> Outcome:
        """Install, apply, step in where the story says so, and wait for the end."""
        self._install()
        self.keeper.start()
        began = time.monotonic()
        troubles = []
        try:
            self._apply(WANTED)
            self._step_in()
            self._wait("the rollout rests", self._rests)
            self._wait("nothing of ours is left", lambda: not self._owned(), timeout=60.0)
        except LateError as late:
            troubles.append(str(late))
        return self._outcome(time.monotonic() - began, troubles)

    def _install(self) -> None:
        values = {"host": f"{self.namespace}.gateway.test", "provider": self.shape.provider}
        helm = clusters.helm_of(self.place.cluster, self.namespace)
        helm.install("gateway", CHART, values)
        self._wait("stable is there", self._stable_is_ready)

    def _apply(self, image: str) -> Object:
        spec: dict[str, Any] = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
            "image": image,
            "traffic": {**TRAFFIC[self.shape.provider], "settle": "0s"},
            "steps": [{"weight": weight} for weight in self.shape.steps],
            "canary": {"scaleDownDelay": "1s"},
            "tests": [{"helm": {"release": "gateway"}}],
            "progressDeadline": "5m",
        }
        body = {
            "apiVersion": GATEWAY_CANARY.api_version,
            "kind": GATEWAY_CANARY.kind,
            "metadata": {"name": "gateway"},
            "spec": spec,
        }
        return self.place.api.apply(GATEWAY_CANARY, body, self.namespace)

    def _step_in(self) -> None:
        """Do what a person does in this story, once a test hangs at the place for it."""
        if self.shape.story not in {Story.ABORTED, Story.REPLACED}:
            return
        self._wait("the test hangs", self._hangs)
        if self.shape.story is Story.REPLACED:
            changed = self._apply(OTHER)
        else:
            change = {"metadata": {"annotations": {"canary.soma.dev/abort": "now"}}}
            changed = self.place.api.merge(GATEWAY_CANARY, "gateway", change, self.namespace)
        version = int(changed["metadata"]["resourceVersion"])
        self.history.by_hand.add(version)
        self._wait("the change is seen", lambda: self._canary_version() >= version)

    def _outcome(self, seconds: float, troubles: list[str]) -> Outcome:
        ledger, pid = self.proxy.ledger, self.keeper.operator.pid
        counts = {f"{verb} {what}": count for (verb, what), count in ledger.counts().items()}
        return Outcome(
            shape=self.shape,
            seconds=round(seconds, 1),
            phase=self._status().get("phase", ""),
            requests=ledger.requests(),
            effects=ledger.effects(),
            restarts=self.keeper.restarts,
            files=len(list(Path(f"/proc/{pid}/fd").iterdir())) if _alive(pid) else 0,
            memory=_memory(pid) if _alive(pid) else 0,
            revert=self._revert_seconds(),
            counts=dict(sorted(counts.items())),
            strokes=[str(each) for each in ledger.strokes()],
            troubles=[*troubles, *self._troubles()],
        )

    def _troubles(self) -> list[str]:
        """Say what is not as it must be at the end."""
        found, status = [], self._status()
        told = f"{status.get('phase')}: {status.get('message')}"
        if status.get("phase") != self.shape.phase:
            found.append(f"it should have {self.shape.phase.lower()}, and it is {told}")
        if self._image() != self.shape.image:
            found.append(f"stable has {self._image()}")
        if last := [each.after for each in timelines.shifts(self.history.records())][-1:]:
            found += [f"weight {last[0]} is left"] if last[0] else []
        found += invariants.breaches(self.history.records())
        found += self._needless()
        return found + [f"the operator says: {line}" for line in self._complaints()][:3]

    def _needless(self) -> list[str]:
        """Say what no fault explains: a late revert, lists, haste after a 429."""
        ledger, restarts = self.proxy.ledger, self.keeper.restarts
        found = [
            f"{count} lists of {what} that nothing explains"
            for what, count in costs.needless_lists(
                ledger.counts(), ledger.strokes(), starts=1 + restarts
            ).items()
        ]
        found += [
            f"{each.key} {each.name} came before its Retry-After"
            for each in costs.too_hasty(ledger.hasty())
        ]
        if span := costs.revert(self.history.records()):
            allowed = costs.explained(ledger.strokes(), *span, restarts=restarts)
            if span[1] - span[0] > allowed:
                found.append(
                    f"the revert took {span[1] - span[0]:.1f} s; faults explain {allowed:.1f} s"
                )
        return found

    def _revert_seconds(self) -> float | None:
        span = costs.revert(self.history.records())
        return round(span[1] - span[0], 2) if span else None

    def _complaints(self) -> list[str]:
        """Give the lines of the operator's log that tell of a bug or of a missing right."""
        log = self.keeper.operator.log.read_text().splitlines()
        return [line for line in log if "a bug in the operator" in line or " 403 " in line]

    def _wait(
        self, told: str, condition: Callable[[], object], *, timeout: float = PATIENCE
    ) -> None:
        self.history.wait(told, condition, timeout=timeout)

    def _status(self) -> dict[str, Any]:
        found = self.history.current("GatewayCanary", "gateway")
        return timelines.status(found) if found else {}

    def _canary_version(self) -> int:
        found = self.history.current("GatewayCanary", "gateway")
        return int(found["metadata"]["resourceVersion"]) if found else 0

    def _rests(self) -> bool:
        found = self.history.current("GatewayCanary", "gateway")
        status = self._status()
        if found is None or status.get("observedGeneration", 0) < found["metadata"]["generation"]:
            return False
        wanted = OTHER if self.shape.story is Story.REPLACED else WANTED
        return status.get("phase") in _RESTING and status.get("canaryImage") == wanted

    def _hangs(self) -> bool:
        hanging = (invariants.environment(each) for each in running_tests(self.history))
        return any(
            self.shape.verdict(told["GATEWAYCANARY_IMAGE"], int(told["GATEWAYCANARY_WEIGHT"]))
            is None
            for told in hanging
        )

    def _image(self) -> str:
        found = self.history.current("Deployment", "gateway")
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"]) if found else ""

    def _stable_is_ready(self) -> bool:
        found = self.history.current("Deployment", "gateway")
        return found is not None and timelines.status(found).get("readyReplicas") == 2

    def _owned(self) -> list[Object]:
        return [*leftovers.owned(self.history), *leftovers.traced(self.history)]


def _alive(pid: int) -> bool:
    return pid > 0 and Path(f"/proc/{pid}/fd").exists()


def _memory(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
