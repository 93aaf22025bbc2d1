"""People and tools go on working while a rollout runs."""

from __future__ import annotations

from typing import Any

import pytest

from e2e import hooks
from e2e.scenes import Scene, image
from gatewaycanary.kube.resources import HORIZONTAL_POD_AUTOSCALER
from proving import timelines

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SLOW = hooks.pod("sleep 4", name="slow")
"""Passes, but leaves time to do something at each step."""

UNHURRIED: dict[str, Any] = {"minReadySeconds": 6}
"""Makes stable's own rollout, and so the promotion, long enough to be met."""


def test_a_new_image_midway(scene: Scene) -> None:
    """Traffic goes back first; then the newer image starts from the bottom."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.apply("3.0.0")
    scene.ends("Succeeded")
    assert scene.weights() == [50, 0, 50, 100, 0]
    assert scene.stable_image() == image("3.0.0")


def test_the_image_set_back_before_promotion(scene: Scene) -> None:
    """Asking for the stable image again is a wanted result: at rest, ready, nothing changed."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.apply("1.0.0")
    scene.ends("Idle")
    assert scene.weights() == [50, 0]
    assert scene.conditions()["Ready"][0] == "True"


def test_the_image_set_back_during_promotion(scene: Scene) -> None:
    """Stable gets its old image back before traffic leaves the canary."""
    scene.start(**UNHURRIED)
    scene.apply("2.0.0")
    scene.sees_stable_image("2.0.0")
    scene.apply("1.0.0")
    scene.ends("Idle")
    assert scene.stable_image() == image("1.0.0")
    assert scene.weights() == [50, 100, 0]


def test_stables_template_changed_before_promotion(scene: Scene) -> None:
    """The canary would no longer be what is tested: the rollout starts over."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    first = scene.reaches("Testing", weight=50)["revision"]
    scene.set_stable({"template": {"metadata": {"labels": {"tier": "edge"}}}})
    assert scene.ends("Succeeded")["revision"] != first
    assert scene.weights() == [50, 0, 50, 100, 0]


def test_stables_template_changed_during_promotion(scene: Scene) -> None:
    """After the image was written to stable, another change there is only told."""
    scene.start(**UNHURRIED)
    scene.apply("2.0.0")
    scene.sees_stable_image("2.0.0")
    scene.set_stable({"template": {"metadata": {"labels": {"tier": "edge"}}}})
    scene.ends("Succeeded")
    assert scene.weights() == [50, 100, 0]


def test_stable_gets_the_canarys_image_from_somebody_else(scene: Scene) -> None:
    """No more raises: when stable runs it, traffic goes back to stable, and that is success."""
    scene.start(hooks.pod("sleep 8", name="slow"))
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.set_stable_image("2.0.0")
    scene.ends("Succeeded")
    assert scene.weights() == [50, 0]


def test_stable_gets_a_third_image_before_promotion(scene: Scene) -> None:
    """The rollout starts over, with the third image as stable."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.set_stable_image("3.0.0")
    status = scene.reaches("Testing", weight=100)
    assert status["stableImage"] == image("3.0.0")
    scene.ends("Succeeded")
    assert scene.weights() == [50, 0, 50, 100, 0]
    assert scene.stable_image() == image("2.0.0")


def test_stable_gets_a_third_image_during_promotion(scene: Scene) -> None:
    """Stable is not fought over: traffic returns to it when it is ready, and that is a failure."""
    scene.start(**UNHURRIED)
    scene.apply("2.0.0")
    scene.sees_stable_image("2.0.0")
    scene.set_stable_image("3.0.0")
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == "StableContested"
    assert scene.stable_image() == image("3.0.0")


def test_an_emergency_undo_is_not_fought(scene: Scene) -> None:
    """`kubectl rollout undo` after the promotion stands; the divergence is told."""
    scene.start()
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    scene.kubectl("rollout", "undo", "deployment/gateway")
    scene.sees_stable_image("1.0.0")
    scene.when(
        "Promoted=False/StableDiverged",
        lambda: scene.conditions().get("Promoted") == ("False", "StableDiverged"),
    )
    scene.kubectl("rollout", "status", "deployment/gateway", "--timeout=60s")
    assert scene.stable_image() == image("1.0.0")
    assert scene.weights() == [50, 100, 0]


def test_stable_scaled_to_nothing_midway(scene: Scene) -> None:
    """Nothing is raised while stable is empty, and the wait has a name; then it goes on."""
    scene.losses_allowed = True
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.set_stable({"replicas": 0})
    scene.says_reason("StableUnavailable")
    assert scene.route_weight() == 50
    scene.set_stable({"replicas": 1})
    scene.ends("Succeeded")


def test_the_target_comes_later(scene: Scene) -> None:
    """Applied before its target, it waits with that reason and starts by itself."""
    scene.operator.start()
    scene.operator.await_ready()
    scene.apply("2.0.0")
    told = scene.says("Reconciling", "TargetMissing")
    assert "gateway" in told
    scene.start_traffic(hooks.pod())
    scene.ends("Succeeded")


def test_an_autoscaler_does_not_shrink_stable(scene: Scene) -> None:
    """The HPA is held while traffic is away, a helm upgrade meanwhile passes, it is let go."""
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "gateway"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
            "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 80},
                    },
                }
            ],
        },
    }

    def policy() -> str | None:
        found = scene.history.current("HorizontalPodAutoscaler", "gateway") or {"spec": {}}
        down = (found["spec"].get("behavior") or {}).get("scaleDown") or {}
        selected: str | None = down.get("selectPolicy")
        return selected

    scene.start(SLOW, scaler)
    before = scene.api.get(HORIZONTAL_POD_AUTOSCALER, "gateway", scene.namespace)["spec"]
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    assert policy() == "Disabled"
    scene.install(SLOW, scaler, options=())
    assert policy() == "Disabled"
    scene.ends("Succeeded")
    after = scene.api.get(HORIZONTAL_POD_AUTOSCALER, "gateway", scene.namespace)
    assert after["spec"] == before
    managers = {each["manager"] for each in after["metadata"]["managedFields"]}
    assert not {each for each in managers if each.startswith(timelines.MANAGER)}
