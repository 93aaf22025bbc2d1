"""A soak from an empty namespace to an empty namespace, sampled all the while."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import Cluster
from devcluster.waiting import wait_until
from faults.rollouts import CHART
from gatewaycanary.kube.resources import (
    CONFIG_MAP,
    DEPLOYMENT,
    GATEWAY_CANARY,
    INGRESS,
    JOB,
    LEASE,
    POD,
    SECRET,
    SERVICE,
)
from proving import clusters
from proving.api import Api
from proving.operators import SYSTEM, Operator, OperatorError
from soak import samples
from soak.followers import Canaries, TestPods
from soak.lanes import Course, Lane
from soak.samples import Sample

EVERY = 5.0
KINDS = (GATEWAY_CANARY, DEPLOYMENT, SERVICE, INGRESS, POD, JOB, SECRET, CONFIG_MAP)
GONE_WITHIN = 90.0


@dataclass(slots=True, kw_only=True)
class Result:
    """What was measured. ``left``: objects that were not there before; ``stale``: series' names."""

    course: Course
    seconds: float = 0.0
    before: Sample
    after: Sample
    samples: list[Sample] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Soak:
    """One operator in one namespace, and the lanes that keep it busy."""

    def __init__(self, *, api: Api, operator: Operator, canaries: Canaries, tasks: Path) -> None:
        self._api, self._operator, self._canaries, self._tasks = api, operator, canaries, tasks
        self._began = time.monotonic()
        self._samples: list[Sample] = []

    def run(self, course: Course, *, lanes: int) -> Result:
        """Run all lanes to their end, and look at what is left then."""
        before, _ = self._sample(course)
        objects = self._objects()
        threads = [
            threading.Thread(target=self._lane(number, course).run) for number in range(lanes)
        ]
        for thread in threads:
            thread.start()
        self._watch(threads, course)
        wait_until(lambda: self._objects() <= objects, GONE_WITHIN, interval=1.0)
        wait_until(lambda: self._is_idle(before, *self._sample(course)), GONE_WITHIN, interval=1.0)
        after, names = self._sample(course)
        return Result(
            course=course,
            seconds=time.monotonic() - self._began,
            before=before,
            after=after,
            samples=self._samples,
            left=sorted(self._objects() - objects),
            stale=sorted(names),
            complaints=self._complaints(),
        )

    def _lane(self, number: int, course: Course) -> Lane:
        return Lane(number, api=self._api, canaries=self._canaries, course=course)

    def _watch(self, threads: list[threading.Thread], course: Course) -> None:
        told = 0.0
        while any(thread.is_alive() for thread in threads):
            time.sleep(EVERY)
            sample, _ = self._sample(course)
            self._samples.append(sample)
            if sample.seconds - told >= 30:
                told = sample.seconds
                print(
                    f"{sample.rollouts:5d}/{course.wanted} rollouts, {sample.seconds:5.0f} s: "
                    f"{sample.memory:6.1f} MiB, {sample.tasks} tasks, {sample.files} files, "
                    f"{sample.series} series of {sample.of} objects, {sample.live} live, "
                    f"{len(course.troubles)} troubles",
                    flush=True,
                )

    def _is_idle(self, before: Sample, now: Sample, names: set[str]) -> bool:
        """Tell whether it holds no more than before; connections are kept for a while."""
        return not names and not samples.kept(before, now)

    def _sample(self, course: Course) -> tuple[Sample, set[str]]:
        return samples.take(
            self._operator,
            self._tasks,
            seconds=time.monotonic() - self._began,
            rollouts=course.done,
            live=len(self._canaries.names()),
        )

    def _objects(self) -> set[str]:
        namespace = self._canaries.namespace
        return {
            f"{resource.kind} {item['metadata']['name']}"
            for resource in KINDS
            for item in self._api.list(resource, namespace)["items"]
        }

    def _complaints(self) -> list[str]:
        log = self._operator.log.read_text().splitlines()
        return [line for line in log if "a bug in the operator" in line or " 403 " in line]


@contextmanager
def staged(cluster: Cluster, api: Api, *, credentials: Path, folder: Path) -> Iterator[Soak]:
    """Start an operator in a namespace of its own, with a release whose tests it runs."""
    name = f"soak-{uuid.uuid4().hex[:8]}"
    tasks = folder / f"{name}.tasks"
    os.environ["TASKS_FILE"] = str(tasks)
    with ExitStack() as stack:
        clusters.create_namespace(api, name)
        stack.callback(clusters.remove_namespace, api, name)
        values = {"host": f"{name}.gateway.test"}
        clusters.helm_of(cluster, name).install("gateway", CHART, values)
        operator = Operator(
            kubeconfig=credentials,
            namespace=name,
            log=folder / f"{name}.log",
            module="soak.counted",
        )
        operator.start()
        stack.callback(api.delete, LEASE, name, SYSTEM)
        stack.callback(operator.stop)
        operator.await_ready()
        canaries, pods = Canaries(api, name), TestPods(api, name)
        for follower in (canaries, pods):
            follower.start()
            stack.callback(follower.stop)
        # Written anew after it was ready, so that it counts all that an idle operator has.
        tasks.unlink(missing_ok=True)
        if not wait_until(lambda: samples.count(tasks) > 0, 30.0):
            raise OperatorError(f"the operator does not count its tasks; its log: {operator.log}")
        yield Soak(api=api, operator=operator, canaries=canaries, tasks=tasks)
