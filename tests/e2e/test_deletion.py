"""Deleting the GatewayCanary at any moment leaves traffic on the safe side and nothing of ours."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.providers import GATEWAY_API, ISTIO, NGINX, named
from e2e.scenes import Scene, image
from gatewaycanary.kube.resources import GATEWAY_CANARY

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("provider", "cascade"),
    [
        (NGINX, "Background"),
        (NGINX, "Foreground"),
        (ISTIO, "Foreground"),
        (GATEWAY_API, "Background"),
    ],
    ids=named,
)
def test_deleted_midway(scene: Scene, cascade: str) -> None:
    """Traffic goes back to stable, then everything of ours goes, then the object."""
    scene.start(hooks.pod("sleep 5", name="slow"))
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.delete(GATEWAY_CANARY, "gateway", propagationPolicy=cascade)
    assert scene.route_weight() is None
    assert scene.weights() == [50, 0]
    assert scene.stable_image() == image("1.0.0")


@pytest.mark.parametrize(
    ("provider", "cascade"),
    [
        (NGINX, "Background"),
        (NGINX, "Foreground"),
        (ISTIO, "Background"),
        (GATEWAY_API, "Foreground"),
    ],
    ids=named,
)
def test_deleted_during_promotion(scene: Scene, cascade: str) -> None:
    """Stable gets its old image back and is ready before traffic leaves the canary."""
    scene.start(minReadySeconds=6)
    scene.apply("2.0.0")
    scene.sees_stable_image("2.0.0")
    scene.delete(GATEWAY_CANARY, "gateway", propagationPolicy=cascade)
    assert scene.route_weight() is None
    assert scene.weights() == [50, 100, 0]
    assert scene.stable_image() == image("1.0.0")


def test_deleted_at_rest(scene: Scene) -> None:
    """After a rollout there is no finalizer to wait for, and the promoted image stays."""
    scene.start()
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    assert not scene.canary()["metadata"].get("finalizers")
    scene.delete(GATEWAY_CANARY, "gateway")
    assert scene.stable_image() == image("2.0.0")
