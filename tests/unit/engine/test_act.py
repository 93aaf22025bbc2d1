"""Effects: the same end however often each is performed, and only what is ours is touched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.istio import destination, virtual_service
from conformance.nginx import ingress, path
from gatewaycanary.core import decision
from gatewaycanary.core.decision import Action
from gatewaycanary.engine.act import Actor
from gatewaycanary.engine.memory import Memory
from gatewaycanary.engine.observe import Observed, Observer
from gatewaycanary.engine.testing import Suites
from gatewaycanary.engine.writer import Writer
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import ConflictError, SpecError
from gatewaycanary.kube.resources import Object
from gatewaycanary.kube.transport import Request
from unit.core.objects import NAMESPACE, OWN, UID, canary, container, deployment, service
from unit.engine.fakes import FakeApi, caches, hold, stale

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = (NAMESPACE, "web")
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
CREATE = decision.CreateCanary(revision="r-1", image="shop/web:2", replicas=2)


def scaler(name: str = "scaler") -> dict[str, Any]:
    """Write the target's HPA."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "maxReplicas": 9,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        },
    }


class Setting:
    """A canary with its target, Service and Ingress, and an actor that can write to them."""

    def __init__(
        self, *more: Object, mine: Object | None = None, api: FakeApi | None = None
    ) -> None:
        self.api = api or FakeApi()
        self.caches = caches(self.api)
        client = Client(self.api)
        writer = Writer(client=client, caches=self.caches)
        suites = Suites(
            client=client,
            writer=writer,
            caches=self.caches,
            clock=lambda: NOW,
            cluster_domain="cluster.local",
        )
        self.observer = Observer(caches=self.caches, suites=suites, memory=Memory())
        self.actor = Actor(client=client, writer=writer, caches=self.caches, suites=suites)
        around = (deployment(), service(), ingress("web", paths=[path("/", "web")]))
        hold(self.api, self.caches, mine or self.mine(), *around, *more)

    @staticmethod
    def mine(**metadata: Any) -> dict[str, Any]:
        """Write the canary in mid-rollout."""
        found = canary()
        return {
            **found,
            "metadata": {**found["metadata"], **metadata},
            "status": {"state": {"stage": "Preparing", "revision": "r-1", "ordinal": 1}},
        }

    def look(self) -> Observed:
        """Observe the canary."""
        observed = self.observer.observe(KEY, now=NOW)
        assert observed is not None
        return observed

    async def perform(self, *actions: Action, observed: Observed | None = None) -> None:
        """Perform effects."""
        for action in actions:
            await self.actor.perform(observed or self.look(), action)

    def stored(self, kind: str, name: str) -> Object | None:
        """Read what the server holds."""
        return self.api.objects.get((kind, NAMESPACE, name))

    def writes(self) -> list[tuple[str, str]]:
        """Give the writes so far."""
        return [one for one in self.api.verbs() if one[0] not in ("get", "list")]


@pytest.mark.parametrize(
    ("actions", "kind", "name"),
    [
        ([CREATE], "Deployment", "web-canary"),
        ([decision.CreateCanaryService()], "Service", "web-canary"),
        ([decision.RaiseWeight(weight=5)], "Ingress", "web-canary"),
    ],
)
async def test_creating_twice(actions: list[Action], kind: str, name: str) -> None:
    """Whether the second time sees the first or not, there is one object, and it is ours."""
    setting = Setting()
    before = setting.look()
    await setting.perform(*actions, observed=before)
    once = setting.stored(kind, name)
    assert once is not None
    assert once["metadata"]["labels"]["canary.soma.dev/owner-uid"] == UID
    assert "ownerReferences" not in once["metadata"]
    await setting.perform(*actions, observed=before)
    await setting.perform(*actions)
    assert setting.stored(kind, name) == once


async def test_what_the_canary_is_made_of() -> None:
    """The pinned template with the new image, as many pods as asked, told apart by one label."""
    setting = Setting()
    await setting.perform(CREATE, decision.CreateCanaryService())
    made, behind = (
        setting.stored("Deployment", "web-canary"),
        setting.stored("Service", "web-canary"),
    )
    assert made is not None
    assert behind is not None
    assert made["spec"]["replicas"] == 2
    template = made["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "shop/web:2"
    assert template["metadata"]["labels"]["canary.soma.dev/revision"] == "r-1"
    assert behind["spec"]["selector"].items() <= template["metadata"]["labels"].items()


async def test_the_route() -> None:
    """Raised, withdrawn before all others, restored; each a second time sends nothing."""
    setting = Setting()
    await setting.perform(decision.RaiseWeight(weight=5), decision.RaiseWeight(weight=5))
    assert setting.writes() == [("create", "Ingress")]
    await setting.perform(decision.RaiseWeight(weight=10))
    for _ in range(2):
        await setting.perform(decision.WithdrawWeight(mark="r-1"))
    route = setting.stored("Ingress", "web-canary")
    assert route is not None
    assert route["metadata"]["annotations"][WEIGHT] == "0"
    assert route["metadata"]["annotations"]["canary.soma.dev/withdrawn"] == "r-1"
    for _ in range(2):
        await setting.perform(decision.RestoreRoute())
    assert setting.stored("Ingress", "web-canary") is None
    assert setting.writes()[1:] == [("patch", "Ingress")] * 2 + [("delete", "Ingress")]
    assert [call.urgent for call in setting.api.calls] == [False, False, True, False]


async def test_a_raise_on_a_version_that_is_no_more() -> None:
    """Somebody wrote the route since it was read: the raise is a conflict, the withdrawal not."""
    setting = Setting()
    await setting.perform(decision.RaiseWeight(weight=5))
    route = setting.stored("Ingress", "web-canary")
    assert route is not None
    setting.api.add(route)
    with pytest.raises(ConflictError):
        await setting.perform(decision.RaiseWeight(weight=10))
    await setting.perform(decision.WithdrawWeight(mark=""))
    after = setting.stored("Ingress", "web-canary")
    assert after is not None
    assert after["metadata"]["annotations"][WEIGHT] == "0"


async def test_scaling() -> None:
    """Only a size that differs is written, and nothing where there is no canary."""
    setting = Setting()
    await setting.perform(decision.ScaleCanary(replicas=3))
    assert setting.writes() == []
    await setting.perform(CREATE, decision.ScaleCanary(replicas=2))
    assert setting.writes() == [("create", "Deployment")]
    await setting.perform(decision.ScaleCanary(replicas=3), decision.ScaleCanary(replicas=3))
    assert setting.writes()[1:] == [("patch", "Deployment")]


async def test_deleting_the_canary() -> None:
    """Deployment and Service go; a repeat, seen or unseen, is no error."""
    setting = Setting()
    await setting.perform(CREATE, decision.CreateCanaryService())
    before = setting.look()
    await setting.perform(decision.DeleteCanary(), observed=before)
    await setting.perform(decision.DeleteCanary(), observed=before)
    await setting.perform(decision.DeleteCanary())
    assert setting.stored("Deployment", "web-canary") is None
    assert setting.stored("Service", "web-canary") is None
    assert setting.stored("Deployment", "web") is not None
    assert setting.writes().count(("delete", "Deployment")) == 2, "the third saw them gone"


async def test_what_is_not_ours_stays() -> None:
    """A Deployment of the canary's name that is somebody else's is never deleted or scaled."""
    theirs = deployment("web-canary", labels={"app": "x"})
    ours = service("web-canary", selector={"app": "web-canary"}, own=OWN)
    setting = Setting(theirs, ours)
    await setting.perform(decision.DeleteCanary())
    assert setting.stored("Deployment", "web-canary") is not None
    assert setting.stored("Service", "web-canary") is None
    with pytest.raises(ConflictError):
        await setting.perform(decision.ScaleCanary(replicas=9))


async def test_the_stable_image() -> None:
    """One field is written, once, and only over the image that was seen."""
    setting = Setting()
    before = setting.look()
    await setting.perform(decision.SetStableImage(image="shop/web:2"))
    await setting.perform(decision.SetStableImage(image="shop/web:2"))
    stable = setting.stored("Deployment", "web")
    assert stable is not None
    assert stable["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:2"
    assert setting.writes() == [("patch", "Deployment")]
    with pytest.raises(ConflictError):
        await setting.perform(decision.SetStableImage(image="shop/web:3"), observed=before)


async def test_an_image_of_nobody_knows_which_container() -> None:
    """It is refused in words, and nothing is written."""
    setting = Setting()
    two = deployment(containers=[container("a"), container("b")])
    hold(setting.api, setting.caches, two)
    with pytest.raises(SpecError, match="container"):
        await setting.perform(decision.SetStableImage(image="shop/web:2"))
    assert setting.writes() == []


async def test_a_target_that_is_gone() -> None:
    """Nothing can be made of it; writes to it have nothing to do."""
    setting = Setting()
    setting.caches.remove("Deployment", namespace=NAMESPACE, name="web", uid="uid-of-web")
    with pytest.raises(SpecError, match="gone"):
        await setting.perform(CREATE)
    await setting.perform(decision.SetStableImage(image="shop/web:2"))
    assert setting.writes() == []


async def test_the_autoscaler() -> None:
    """Held and released, each once; one of another name is left alone."""
    setting = Setting(scaler())
    await setting.perform(decision.HoldAutoscaler(name="other"))
    assert setting.writes() == []
    for _ in range(2):
        await setting.perform(decision.HoldAutoscaler(name="scaler"))
    held = setting.stored("HorizontalPodAutoscaler", "scaler")
    assert held is not None
    assert held["spec"]["behavior"]["scaleDown"]["selectPolicy"] == "Disabled"
    assert setting.writes() == [("patch", "HorizontalPodAutoscaler")]
    for _ in range(2):
        await setting.perform(decision.ReleaseAutoscaler(name="scaler", original=None))
    free = setting.stored("HorizontalPodAutoscaler", "scaler")
    assert free is not None
    assert free["spec"].get("behavior", {}).get("scaleDown", {}).get("selectPolicy") != "Disabled"


async def test_the_finalizer() -> None:
    """Put on and taken off once each, beside those of others."""
    setting = Setting(mine=Setting.mine(finalizers=["theirs"]))
    await setting.perform(decision.AddFinalizer(), decision.AddFinalizer())
    held = setting.stored("GatewayCanary", "web")
    assert held is not None
    assert held["metadata"]["finalizers"] == ["theirs", "canary.soma.dev/traffic"]
    await setting.perform(decision.RemoveFinalizer(), decision.RemoveFinalizer())
    free = setting.stored("GatewayCanary", "web")
    assert free is not None
    assert free["metadata"]["finalizers"] == ["theirs"]
    assert len(setting.writes()) == 2


async def test_finalizers_that_came_meanwhile() -> None:
    """One that somebody added between look and write is kept; unseen, it makes a conflict."""
    setting = Setting()
    before = setting.look()
    stored = setting.stored("GatewayCanary", "web")
    assert stored is not None
    theirs = {**stored, "metadata": {**stored["metadata"], "finalizers": ["theirs"]}}
    newer = setting.api.add(theirs)
    with pytest.raises(ConflictError):
        await setting.perform(decision.AddFinalizer(), observed=before)
    setting.caches.put("GatewayCanary", newer)
    await setting.perform(decision.AddFinalizer(), observed=before)
    after = setting.stored("GatewayCanary", "web")
    assert after is not None
    assert after["metadata"]["finalizers"] == ["theirs", "canary.soma.dev/traffic"]


async def test_the_finalizer_of_a_namesake() -> None:
    """The object that was looked at is gone; the new one of its name is not touched."""
    setting = Setting()
    before = setting.look()
    setting.caches.remove("GatewayCanary", namespace=NAMESPACE, name="web", uid=UID)
    hold(setting.api, setting.caches, Setting.mine(uid="another"))
    with pytest.raises(ConflictError):
        await setting.perform(decision.AddFinalizer(), observed=before)
    after = setting.stored("GatewayCanary", "web")
    assert after is not None
    assert "finalizers" not in after["metadata"]


async def test_the_last_finalizer_of_a_deleted_object() -> None:
    """With it the object goes, from the caches too, so that nobody looks at it any more."""
    going = Setting.mine(
        finalizers=["canary.soma.dev/traffic"], deletionTimestamp="2026-01-01T00:00:00Z"
    )
    setting = Setting(mine=going)
    await setting.perform(decision.RemoveFinalizer())
    assert setting.stored("GatewayCanary", "web") is None
    assert setting.observer.observe(KEY, now=NOW) is None


HELM = {
    "manager": "helm",
    "operation": "Apply",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:spec": {"f:http": {}, "f:hosts": {}}},
}
OURS = {"manager": "gatewaycanary", "operation": "Update", "fieldsV1": {"f:spec": {}}}
ROBBED = {**HELM, "fieldsV1": {"f:spec": {"f:hosts": {}}}}


def held_route(*managed: Object) -> dict[str, Any]:
    """Write a VirtualService whose fields are managed so."""
    route = virtual_service({"name": "all", "route": [destination("web")]}, name="web")
    return {**route, "metadata": {**route["metadata"], "managedFields": list(managed)}}


def held_canary() -> dict[str, Any]:
    """Write the canary that shifts it."""
    mine = Setting.mine()
    return {**mine, "spec": {**mine["spec"], "traffic": {"istio": {"virtualService": "web"}}}}


class ClaimingApi(FakeApi):
    """Give a route to whoever wrote it, as the API server does."""

    def _patch(self, request: Request, found: Object, body: Any) -> Object:
        stored = super()._patch(request, found, body)
        if stored["metadata"].get("managedFields") != [HELM] or "managedFields" in str(body):
            return stored
        return self.add(
            {**stored, "metadata": {**stored["metadata"], "managedFields": [ROBBED, OURS]}}
        )


async def test_a_route_that_a_person_holds() -> None:
    """After a write of ours the rules belong to whom they belonged before, the first time too."""
    setting = Setting(held_route(HELM), mine=held_canary(), api=ClaimingApi())
    await setting.perform(decision.RaiseWeight(weight=5))
    stored = setting.stored("VirtualService", "web")
    assert stored is not None
    assert stored["metadata"]["managedFields"] == [HELM]
    assert stored["spec"]["http"][0]["route"][1]["weight"] == 5
    assert setting.writes() == [("patch", "VirtualService")] * 2


async def test_a_claim_that_cannot_be_given_up_now() -> None:
    """Somebody wrote in between: the weight stands, and the next look gives the claim up."""
    setting = Setting(held_route(OURS, ROBBED), mine=held_canary())
    setting.api.fail("patch", "VirtualService", stale())
    await setting.perform(decision.DisownRoute())
    await setting.perform(decision.DisownRoute())
    stored = setting.stored("VirtualService", "web")
    assert stored is not None
    assert [one["manager"] for one in stored["metadata"]["managedFields"]] == ["helm"]


async def test_a_claim_left_by_the_restore() -> None:
    """The route reads as its owner wrote it, and is given back to whom the status names."""
    mine = held_canary()
    found = {"rules": [{"name": "all"}], "owners": [{"manager": "helm", "operation": "Apply"}]}
    status = {"state": {**mine["status"]["state"], "stage": "Finalizing", "route": found}}
    setting = Setting(held_route(OURS, ROBBED), mine={**mine, "status": status})
    await setting.perform(decision.RestoreRoute())
    stored = setting.stored("VirtualService", "web")
    assert stored is not None
    assert stored["metadata"]["managedFields"] == [HELM]
