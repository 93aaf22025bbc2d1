"""Events become keys, with the priority that their news deserve."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.queue import Priority, Queue
from gatewaycanary.engine.relations import Key
from gatewaycanary.engine.sources import Sources
from gatewaycanary.kube.backoff import Backoff
from gatewaycanary.kube.resources import Object
from unit.core.objects import NAMESPACE, UID, canary, deployment
from unit.engine.fakes import FakeApi, caches
from unit.kube.virtual_time import virtual

WEB = (NAMESPACE, "web")


class Setting:
    """Sources between caches and a queue that nobody takes from."""

    def __init__(self, *, excluded: tuple[str, ...] = ()) -> None:
        self.caches: Caches = caches(FakeApi())
        self.queue: Queue[Key] = Queue(backoff=Backoff(first=1.0, limit=2.0, rng=Random(1)))
        self.arrived: list[Key] = []
        self.sources = Sources(
            caches=self.caches,
            queue=self.queue,
            excluded=frozenset(excluded),
            arrived=self.arrived.append,
        )

    def tell(self, kind: str, obj: Object, *, version: int) -> None:
        """Have the cache take in an object."""
        metadata = {"uid": f"uid-of-{kind}", **obj["metadata"], "resourceVersion": str(version)}
        self.caches.put(kind, {**obj, "metadata": metadata})

    def depths(self) -> dict[str, int]:
        """Give how many keys stand at each priority that has any."""
        found = {priority.name: self.queue.depth(priority) for priority in Priority}
        return {name: depth for name, depth in found.items() if depth}


def with_stage(stage: str, *, name: str = "web") -> dict[str, Any]:
    """Write a canary whose rollout has come so far."""
    found = canary(name, uid=f"uid-of-{name}", target=name)
    return {**found, "status": {"state": {"stage": stage}}}


def run_pod(phase: str) -> dict[str, Any]:
    """Write a test pod of the canary."""
    labels = {"canary.soma.dev/owner-uid": UID, "canary.soma.dev/run": "r"}
    metadata = {"name": "test", "namespace": NAMESPACE, "labels": labels}
    return {"metadata": metadata, "status": {"phase": phase}}


@virtual
async def test_a_new_leader_looks_at_all() -> None:
    """Reverts come first, then rollouts under way, then all that rest."""
    setting = Setting()
    stages = ["Resting", "Ramping", "RollingBack", "Finalizing"]
    for number, stage in enumerate(stages):
        canary_there = with_stage(stage, name=f"web-{number}")
        setting.tell("GatewayCanary", canary_there, version=number + 1)
    setting.tell("GatewayCanary", canary("new", uid="new", target="new"), version=9)
    assert setting.depths() == {}, "a standby enqueues nothing"
    setting.sources.enqueue_all()
    assert setting.depths() == {"ROLLBACK": 1, "ACTIVE": 2, "RESYNC": 2}
    assert setting.arrived == [], "that they are there is no news"


@virtual
async def test_a_test_that_failed_while_nobody_led() -> None:
    """Its canary overtakes all that are under way, as one that is on its way back."""
    setting = Setting()
    setting.tell("GatewayCanary", with_stage("Ramping", name="other"), version=1)
    failing = {**canary(), "status": {"state": {"stage": "Ramping"}}}
    setting.tell("GatewayCanary", failing, version=2)
    setting.tell("Pod", run_pod("Failed"), version=3)
    setting.sources.enqueue_all()
    assert setting.depths() == {"ROLLBACK": 1, "ACTIVE": 1}
    assert await setting.queue.get() == WEB


@virtual
async def test_a_standby_enqueues_nothing() -> None:
    """Whatever changes, and whatever kopf tells, until it leads."""
    setting = Setting()
    setting.tell("GatewayCanary", canary(), version=1)
    setting.tell("Deployment", deployment(), version=2)
    setting.sources.enqueue(*WEB)
    assert setting.depths() == {}
    assert setting.arrived == []


@virtual
async def test_an_event_is_active_and_a_failed_test_overtakes() -> None:
    """A test pod that fails now is looked at before all else; that it still says so is no hurry."""
    setting = Setting()
    setting.tell("GatewayCanary", canary(), version=1)
    setting.sources.enqueue_all()
    await setting.queue.get()
    setting.queue.done(WEB)
    setting.tell("Pod", run_pod("Running"), version=2)
    assert setting.depths() == {"ACTIVE": 1}
    setting.tell("Pod", run_pod("Failed"), version=3)
    assert setting.depths() == {"ROLLBACK": 1}
    assert setting.arrived == [WEB, WEB]
    await setting.queue.get()
    setting.queue.done(WEB)
    setting.tell("Pod", {**run_pod("Failed"), "spec": {}}, version=4)
    assert setting.depths() == {"ACTIVE": 1}


@virtual
async def test_one_key_for_many_events() -> None:
    """However much happens around a canary, it is looked at once."""
    setting = Setting()
    setting.tell("GatewayCanary", canary(), version=1)
    setting.sources.enqueue_all()
    for version in range(2, 6):
        setting.tell("Deployment", deployment(replicas=version), version=version)
    setting.sources.enqueue(*WEB)
    assert len(setting.queue) == 1


@pytest.mark.parametrize("told", ["event", "kopf", "leading"])
@virtual
async def test_excluded_namespaces_are_left_alone(told: str) -> None:
    """No way leads from an excluded namespace to the queue."""
    setting = Setting(excluded=(NAMESPACE,))
    if told == "leading":
        setting.tell("GatewayCanary", canary(), version=1)
    setting.sources.enqueue_all()
    if told == "event":
        setting.tell("GatewayCanary", canary(), version=1)
        setting.tell("Deployment", deployment(), version=2)
    if told == "kopf":
        setting.sources.enqueue(*WEB)
    assert setting.depths() == {}
    assert setting.arrived == []


@virtual
async def test_a_deleted_canary_is_looked_at_once_more() -> None:
    """So that what is remembered of it, and its series, go."""
    setting = Setting()
    setting.tell("GatewayCanary", canary(), version=1)
    setting.sources.enqueue_all()
    await setting.queue.get()
    setting.queue.done(WEB)
    setting.caches.remove("GatewayCanary", namespace=NAMESPACE, name="web", uid=UID)
    assert setting.depths() == {"ACTIVE": 1}


@virtual
async def test_a_kind_that_comes_or_goes() -> None:
    """Every canary is looked at again, once this replica leads."""
    setting = Setting()
    setting.tell("GatewayCanary", canary("web", uid="w"), version=1)
    reflector = setting.caches.watched[-1]
    reflector.on_presence()
    assert setting.depths() == {}
    setting.sources.enqueue_all()
    key = await setting.queue.get()
    setting.queue.done(key)
    reflector.on_presence()
    assert setting.depths() == {"RESYNC": 1}
