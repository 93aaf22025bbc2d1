"""Somebody edits the route while a rollout runs."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.providers import ALL, HELD, NGINX, named
from e2e.scenes import Scene, image
from gatewaycanary.kube.resources import INGRESS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def at_half(scene: Scene) -> None:
    """Bring a rollout to its first step, with a test that leaves time."""
    scene.start(hooks.pod("sleep 6", name="slow"))
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)


@pytest.mark.parametrize(
    ("provider", "weight"),
    [
        *((NGINX, spelled) for spelled in ("77", "20", "half", None)),
        *((provider, spelled) for provider in HELD for spelled in ("77", None)),
    ],
    ids=named,
)
def test_an_edit_is_put_back(scene: Scene, weight: str | None) -> None:
    """Another number, a word, or none at all: the announced weight comes back; it is told."""
    at_half(scene)
    scene.provider.edit(scene, weight)
    scene.carries(50)
    scene.when("the correction is told", lambda: "Drift" in scene.reasons())
    scene.ends("Succeeded")
    assert scene.stable_image() == image("2.0.0")


@pytest.mark.parametrize("provider", ALL, ids=named)
def test_an_explicit_zero_is_a_persons_brake(scene: Scene) -> None:
    """Weight 0 by hand is obeyed: the rollout ends, and nothing is raised again."""
    at_half(scene)
    scene.provider.edit(scene, "0")
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == "TrafficWithdrawn"
    assert scene.weights() == [50, 0]


@pytest.mark.parametrize("provider", ALL, ids=named)
def test_a_contested_route_is_given_up(scene: Scene) -> None:
    """Edited for the third time within a step, the route goes to 0 and the rollout fails."""
    at_half(scene)
    for weight in ("60", "61"):
        scene.provider.edit(scene, weight)
        scene.carries(50)
    scene.provider.edit(scene, "62")
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == "RouteContested"
    assert scene.weights()[-1] == 0


def test_the_canary_ingress_removed(scene: Scene) -> None:
    """Who deletes the canary Ingress takes the traffic away: a brake too, and obeyed."""
    at_half(scene)
    scene.delete(INGRESS, "gateway-canary")
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == "TrafficWithdrawn"
    assert scene.weights() == [50, 0]


@pytest.mark.parametrize("provider", HELD, ids=named)
def test_the_route_removed_and_installed_again(scene: Scene) -> None:
    """Without the route it waits and says so; once a tool brings it back, it goes on from there."""
    scene.losses_allowed = True
    at_half(scene)
    scene.delete(scene.provider.resource, "gateway")
    scene.says_reason("RouteMissing")
    scene.install(hooks.pod("sleep 6", name="slow"), keepLiveImage=True)
    scene.carries(50)
    scene.ends("Succeeded")
    assert scene.weights()[-2:] == [100, 0]
    assert scene.stable_image() == image("2.0.0")
