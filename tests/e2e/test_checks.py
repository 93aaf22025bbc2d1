"""What would go wrong is refused before any traffic moves, with the object that is to blame."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.policies import FENCE
from e2e.scenes import RELEASE, Scene, image

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

WIDE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "wide"},
    "spec": {"selector": {"app.kubernetes.io/instance": RELEASE}, "ports": [{"port": 80}]},
}


def test_a_service_that_catches_the_canary(scene: Scene) -> None:
    """A further Service that selects both sides would send stable's clients to the canary."""
    scene.start(hooks.pod(), WIDE)
    scene.apply("2.0.0")
    status = scene.ends("Invalid", timeout=180)
    assert "wide" in status["message"]
    assert scene.weights() == []


def test_a_stable_service_that_catches_the_canary(scene: Scene) -> None:
    """So would a stable Service whose selector lacks the label that differs."""
    scene.start(serviceSelector={"app.kubernetes.io/instance": RELEASE})
    scene.apply("2.0.0")
    scene.ends("Invalid", timeout=180)
    assert scene.weights() == []


def test_a_network_policy_that_leaves_the_canary_out(scene: Scene) -> None:
    """A policy that guards stable and not the canary is named; a person may allow it."""
    scene.start(hooks.pod(), FENCE)
    scene.apply("2.0.0")
    status = scene.ends("Invalid", timeout=180)
    assert "fence" in status["message"]
    assert scene.weights() == []
    scene.apply("2.0.0", canary={"scaleDownDelay": "2s", "allowPolicyGap": True})
    scene.ends("Succeeded")
    assert scene.stable_image() == image("2.0.0")


def test_two_on_one_target(scene: Scene) -> None:
    """The younger of two GatewayCanaries on one target is Invalid and harms nobody."""
    scene.start(hooks.pod("sleep 3", name="slow"))
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.apply("3.0.0", name="younger")
    scene.ends("Succeeded")
    assert scene.stable_image() == image("2.0.0")
    status = scene.ends("Invalid", name="younger", timeout=180)
    assert "gateway" in status["message"]
    assert scene.weights() == [50, 100, 0]
