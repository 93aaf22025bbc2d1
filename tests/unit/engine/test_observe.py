"""One observation from the caches: whose pods count, and what a broken spec still lets see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.nginx import ingress, path
from gatewaycanary.api.status import Stage
from gatewaycanary.core.observation import Observation
from gatewaycanary.engine.memory import Memory
from gatewaycanary.engine.observe import Observer
from gatewaycanary.engine.parsing import UnreadableStatusError
from gatewaycanary.engine.testing import Suites
from gatewaycanary.engine.writer import Writer
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.reflector import State
from gatewaycanary.kube.resources import Object
from unit.core.objects import NAMESPACE, OWN, UID, canary, deployment, service
from unit.engine.fakes import FakeApi, caches, hold

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = (NAMESPACE, "web")
RAMPING = {"state": {"stage": "Ramping", "revision": "r-1", "announced": 5}}


def endpoints(name: str, *, ready: int, waiting: int = 0) -> dict[str, Any]:
    """Write the EndpointSlice of a Service."""
    return {
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "metadata": {
            "name": f"{name}-slice",
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": name},
        },
        "endpoints": [
            {
                "addresses": [f"10.0.0.{number}"],
                "conditions": {"ready": number < ready},
                "targetRef": {"name": f"pod-{number}", "uid": f"{number}"},
            }
            for number in range(ready + waiting)
        ],
    }


def failing(name: str, **labels: str) -> dict[str, Any]:
    """Write a pod whose image has no valid name."""
    waiting = {"reason": "InvalidImageName", "message": "not a name"}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {f"canary.soma.dev/{key}": value for key, value in labels.items()},
        },
        "status": {
            "phase": "Pending",
            "containerStatuses": [{"name": "web", "state": {"waiting": waiting}}],
        },
    }


class Setting:
    """A canary among its objects, in caches."""

    def __init__(self, *more: Object, **mine: Any) -> None:
        self.api = FakeApi()
        self.caches = caches(self.api)
        client = Client(self.api)
        suites = Suites(
            client=client,
            writer=Writer(client=client, caches=self.caches),
            caches=self.caches,
            clock=lambda: NOW,
            cluster_domain="cluster.local",
        )
        self.memory = Memory()
        self.observer = Observer(caches=self.caches, suites=suites, memory=self.memory)
        around = (deployment(), service(), ingress("web", paths=[path("/", "web")]))
        hold(self.api, self.caches, {**canary(), **mine}, *around, *more)

    def look(self) -> Observation:
        """Observe the canary."""
        observed = self.observer.observe(KEY, now=NOW)
        assert observed is not None
        return observed.observation


async def test_nothing_is_asked() -> None:
    """All comes from the caches: a look costs no request."""
    setting = Setting(endpoints("web", ready=3, waiting=1))
    found = setting.look()
    assert setting.api.calls == []
    assert found.problems == ()
    assert found.target is not None
    assert found.target.image == "shop/web:1"
    assert found.endpoints.stable == 3
    assert found.endpoints.canary == 0
    assert found.route.present
    assert not found.route.attached
    assert found.canary is None
    assert found.revision_hash


async def test_a_canary_that_is_gone() -> None:
    """It is not observed, and forgotten."""
    setting = Setting()
    setting.look()
    kept = setting.memory.of(KEY, uid=UID)
    setting.caches.remove("GatewayCanary", namespace=NAMESPACE, name="web", uid=UID)
    assert setting.observer.observe(KEY, now=NOW) is None
    assert setting.memory.of(KEY, uid=UID) is not kept


async def test_a_spec_that_does_not_parse() -> None:
    """Traffic must find its way back all the same: route, target and endpoints are seen."""
    broken = {**canary()["spec"], "image": 7}
    route = ingress(
        "web-canary",
        paths=[path("/", "web-canary")],
        annotations={
            "nginx.ingress.kubernetes.io/canary": "true",
            "nginx.ingress.kubernetes.io/canary-weight": "5",
        },
        labels=OWN,
    )
    found = Setting(
        endpoints("web", ready=2), endpoints("web-canary", ready=1), route,
        spec=broken, status=RAMPING,
    ).look()  # fmt: skip
    assert found.spec is None
    assert {problem.reason for problem in found.problems} == {"SpecInvalid"}
    assert (found.route.attached, found.route.weight) == (True, 5)
    assert (found.endpoints.stable, found.endpoints.canary) == (2, 1)
    assert found.target is not None
    assert found.tests.log_tail, "there is no log to wait for"


@pytest.mark.parametrize("spec", [{}, {"targetRef": "web"}, {"traffic": {"nginx": {}}}])
async def test_a_spec_that_names_nothing(spec: dict[str, Any]) -> None:
    """It is Invalid and looked at no further."""
    setting = Setting()
    raw = setting.caches.get("GatewayCanary", *KEY)
    assert raw is not None
    changed = {**raw, "spec": {**spec, "bogus": 1}}
    hold(setting.api, setting.caches, changed)
    found = setting.look()
    assert found.spec is None
    assert found.problems
    assert not found.route.present


async def test_whose_pods_count() -> None:
    """Those of this canary's revision; not its tests', an earlier rollout's or another's."""
    strangers = (
        failing("test", **{"owner-uid": UID, "revision": "r-1", "test": "smoke", "run": "x"}),
        failing("old", **{"owner-uid": UID, "revision": "r-0"}),
        failing("other", **{"owner-uid": "another", "revision": "r-1"}),
    )
    assert Setting(*strangers, status=RAMPING).look().endpoints.canary_fault is None
    ours = failing("ours", **{"owner-uid": UID, "revision": "r-1"})
    fault = Setting(*strangers, ours, status=RAMPING).look().endpoints.canary_fault
    assert fault is not None
    assert fault.reason == "InvalidImageName"


async def test_a_target_on_its_way_out_is_gone() -> None:
    """Nothing is built on it."""
    going = deployment()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert Setting(going).look().target is None


async def test_objects_of_our_names_that_are_not_ours() -> None:
    """They are no canary of ours, and a problem."""
    found = Setting(
        deployment("web-canary", labels={"x": "y"}), service("web-canary", selector={"x": "y"})
    ).look()
    assert found.canary is None
    assert not found.canary_service
    assert {problem.reason for problem in found.problems} == {"NameTaken"}


async def test_a_provider_that_is_not_installed() -> None:
    """It is said in those words, and the route counts as missing."""
    spec = {**canary()["spec"], "traffic": {"istio": {"virtualService": "web"}}}
    setting = Setting(spec=spec)
    for reflector in setting.caches.watched:
        reflector.state = State.ABSENT
    found = setting.look()
    assert "ProviderNotInstalled" in {problem.reason for problem in found.problems}
    assert not found.route.present


async def test_what_a_look_remembers() -> None:
    """Since when the route could not be written is part of what is seen."""
    setting = Setting()
    setting.look()
    setting.memory.note_unwritable(KEY, since=NOW)
    assert setting.look().route_unwritable_since == NOW


async def test_a_status_of_another_version() -> None:
    """It is refused, whatever else stands there; its stage counts as resting."""
    setting = Setting(status={"state": {"stage": "Flying"}})
    with pytest.raises(UnreadableStatusError):
        setting.observer.observe(KEY, now=NOW)
    assert setting.observer.stage(KEY) is Stage.RESTING
    assert setting.observer.stage((NAMESPACE, "nobody")) is Stage.RESTING
