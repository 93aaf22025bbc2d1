"""The canary's objects, and the writes on stable and its autoscaler, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.core import autoscalers, fieldowners, manifests
from gatewaycanary.core.naming import FIELD_MANAGER, REVISION_LABEL
from gatewaycanary.core.selectors import CanaryLabel, canary_label
from gatewaycanary.core.writes import Create, JsonPatch
from gatewaycanary.kube.errors import ConflictError
from integration.traffic.places import Place
from unit.core.objects import UID, container, deployment, service

pytestmark = pytest.mark.apiserver

STABLE = deployment(
    containers=[container(), container("proxy", "proxy:1")],
    pod={
        "topologySpreadConstraints": [
            {
                "labelSelector": {"matchLabels": {"app": "web"}},
                "topologyKey": "kubernetes.io/hostname",
                "maxSkew": 1,
                "whenUnsatisfiable": "ScheduleAnyway",
            }
        ]
    },
)
HELM = {**STABLE, "metadata": {"name": "web", "labels": {"app": "web"}}}
BEHAVIOR = {"scaleDown": {"selectPolicy": "Min", "stabilizationWindowSeconds": 60}}


def autoscaler(behavior: dict[str, Any] | None) -> dict[str, Any]:
    """Write an autoscaler of stable."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 5,
            **({} if behavior is None else {"behavior": behavior}),
        },
    }


async def made_canary(place: Place) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Make stable and its canary; give stable, the canary Deployment and the canary Service."""
    stable = await place.put(STABLE)
    behind = await place.put(
        {**service(), "spec": {"selector": {"app": "web"}, "ports": service()["spec"]["ports"]}}
    )
    label = canary_label(stable, behind)
    assert isinstance(label, CanaryLabel)
    workload = manifests.canary_deployment(
        stable,
        label=label,
        container="web",
        uid=UID,
        canary="gateway",
        revision="abc-1",
        image="shop/web:2",
        replicas=2,
    )
    front = manifests.canary_service(
        behind, name="web-canary", label=label, uid=UID, canary="gateway", revision="abc-1"
    )
    return (
        stable,
        await place.send(Create(manifest=workload)),
        await place.send(Create(manifest=front)),
    )


async def test_canary_is_taken(place: Place) -> None:
    """Both objects are accepted; the template is stable's but for image, labels and selectors."""
    stable, workload, front = await made_canary(place)
    assert manifests.template_hash(
        stable, container="web", image="shop/web:2"
    ) != manifests.template_hash(stable, container="web")
    pods, own = stable["spec"]["template"]["spec"], workload["spec"]["template"]["spec"]
    changed = {key for key in pods | own if pods.get(key) != own.get(key)}
    assert changed == {"containers", "topologySpreadConstraints"}
    assert own["containers"][0] == {**pods["containers"][0], "image": "shop/web:2"}
    assert own["containers"][1] == pods["containers"][1]
    assert front["spec"]["selector"] == {"app": "web-canary", REVISION_LABEL: "abc-1"}
    assert front["spec"]["clusterIP"] not in ("", "None")


async def test_scale(place: Place) -> None:
    """The canary is scaled by a patch."""
    _, workload, _ = await made_canary(place)
    after = await place.send(manifests.scale_patch(workload, uid=UID, replicas=3))
    assert after["spec"]["replicas"] == 3


async def test_hash_survives_a_restart(place: Place) -> None:
    """A rollout restart, and the server's own defaults, make no other template."""
    stable = await place.put(STABLE)
    before = manifests.template_hash(stable, container="web")
    restart = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    after = await place.edit(stable, {"spec": {"template": {"metadata": {"annotations": restart}}}})
    assert manifests.template_hash(after, container="web") == before


async def test_image_is_one_field(place: Place) -> None:
    """Promotion owns the image alone, and a release with the old tag then conflicts."""
    stable = await place.apply(HELM)
    write = manifests.set_image_patch(stable, container="web", image="shop/web:2")
    assert isinstance(write, JsonPatch)
    after = await place.send(write)
    entries = [
        each for each in after["metadata"]["managedFields"] if each["manager"] == FIELD_MANAGER
    ]
    template = entries[0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]
    assert template == {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}
    with pytest.raises(ConflictError, match=FIELD_MANAGER):
        await place.apply(HELM)


async def test_image_not_over_a_change(place: Place) -> None:
    """An image that somebody else set meanwhile is not written over: 422, a conflict here."""
    stable = await place.put(STABLE)
    write = manifests.set_image_patch(stable, container="web", image="shop/web:2")
    assert isinstance(write, JsonPatch)
    other = [{**container(), "image": "shop/web:9"}, container("proxy", "proxy:1")]
    await place.edit(stable, {"spec": {"template": {"spec": {"containers": other}}}})
    with pytest.raises(ConflictError) as refused:
        await place.send(write)
    assert refused.value.status == 422


async def disowned(place: Place, write: JsonPatch | None) -> dict[str, Any]:
    """Send a write on the autoscaler and take our entry out, as the engine does."""
    answer = await place.send(write)
    entry = fieldowners.disown_patch(
        answer, api_version="autoscaling/v2", kind="HorizontalPodAutoscaler"
    )
    return answer if entry is None else await place.send(entry)


def managers(obj: dict[str, Any]) -> set[str]:
    """Name who owns fields."""
    return {entry["manager"] for entry in obj["metadata"]["managedFields"]}


@pytest.mark.parametrize("behavior", [None, BEHAVIOR], ids=["none", "its own"])
async def test_autoscaler(place: Place, behavior: dict[str, Any] | None) -> None:
    """Held and released it is as it was, owners included, and every upgrade passes meanwhile."""
    before = await place.apply(autoscaler(behavior))
    original = autoscalers.autoscaler_view(before).select_policy
    held = await disowned(place, autoscalers.hold_patch(before))
    assert autoscalers.autoscaler_view(held).held
    assert managers(held) == {"helm"}

    unchanged = await place.apply(autoscaler(behavior))
    assert autoscalers.autoscaler_view(unchanged).held is (behavior is None)
    taller = {**autoscaler(behavior)["spec"], "maxReplicas": 9}
    changed = await place.apply({**autoscaler(behavior), "spec": taller})
    assert changed["spec"]["maxReplicas"] == 9

    if not autoscalers.autoscaler_view(changed).held:
        changed = await disowned(place, autoscalers.hold_patch(changed))
    released = await disowned(place, autoscalers.release_patch(changed, original=original))
    assert released["spec"] == {**before["spec"], "maxReplicas": 9}
    assert managers(released) == {"helm"}
    other = {"scaleDown": {"selectPolicy": "Max", "stabilizationWindowSeconds": 5}}
    applied = (await place.apply(autoscaler(other)))["spec"]["behavior"]["scaleDown"]
    assert (applied["selectPolicy"], applied["stabilizationWindowSeconds"]) == ("Max", 5)


async def test_filled_in_by_this_server(place: Place) -> None:
    """What the server fills into a held behavior is what a release knows as filled in."""
    before = await place.put(autoscaler(None))
    held = await place.send(autoscalers.hold_patch(before))
    released = await place.send(autoscalers.release_patch(held, original=None))
    assert "behavior" not in released["spec"]


async def test_autoscaler_written_meanwhile(place: Place) -> None:
    """A hold made before somebody else's write answers 409."""
    before = await place.put(autoscaler(None))
    hold = autoscalers.hold_patch(before)
    await place.edit(before, {"spec": {"maxReplicas": 9}})
    with pytest.raises(ConflictError) as refused:
        await place.send(hold)
    assert refused.value.status == 409
