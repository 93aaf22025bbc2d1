"""The operator dies by SIGKILL at some point; its successor ends the rollout as it would have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from e2e import hooks
from e2e.providers import HELD, NGINX, named
from e2e.scenes import Scene, image

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def _preparing(scene: Scene) -> object:
    return scene.history.current("Deployment", "gateway-canary")


def _raised(scene: Scene) -> object:
    return scene.route_weight() == 50


def _testing(scene: Scene) -> object:
    return scene.test_pods()


def _failed(scene: Scene) -> object:
    return [each for each in scene.test_pods() if each["status"].get("phase") == "Failed"]


def _promoting(scene: Scene) -> object:
    return scene.stable_image() == image("2.0.0")


def _finalizing(scene: Scene) -> object:
    return scene.weights()[-1:] == [0]


@pytest.mark.parametrize(
    ("provider", "point", "hook", "end", "elects"),
    [
        (NGINX, _preparing, hooks.pod(), "Succeeded", False),
        (NGINX, _raised, hooks.pod(), "Succeeded", True),
        (NGINX, _testing, hooks.pod("sleep 3", name="slow"), "Succeeded", False),
        (NGINX, _failed, hooks.fails_at(50), "Failed", True),
        (NGINX, _failed, hooks.fails_at(50), "Failed", False),
        (NGINX, _promoting, hooks.pod(), "Succeeded", False),
        (NGINX, _finalizing, hooks.pod(), "Succeeded", False),
        *((held, _raised, hooks.pod(), "Succeeded", False) for held in HELD),
        *((held, _failed, hooks.fails_at(50), "Failed", False) for held in HELD),
        *((held, _finalizing, hooks.pod(), "Succeeded", False) for held in HELD),
    ],
    ids=named,
)
def test_killed(
    scene: Scene,
    point: Callable[[Scene], object],
    hook: dict[str, object],
    end: str,
    *,
    elects: bool,
) -> None:
    """Whatever was half done is finished once and only once, at once or after the Lease."""
    scene.operator.elects = elects
    scene.start(hook, minReadySeconds=2)
    scene.apply("2.0.0")
    scene.when(f"the point {point.__name__}", lambda: point(scene))
    scene.operator.kill()
    scene.operator.start()
    scene.ends(end)
    assert scene.weights() == ([50, 100, 0] if end == "Succeeded" else [50, 0])
    assert scene.stable_image() == image("2.0.0" if end == "Succeeded" else "1.0.0")


def test_killed_again_and_again(scene: Scene) -> None:
    """Killed at every point of one rollout, it still succeeds, with each step carried once."""
    scene.operator.elects = False
    scene.start(minReadySeconds=2)
    scene.apply("2.0.0")
    for point in (_preparing, _raised, _testing, _promoting, _finalizing):
        scene.when(f"the point {point.__name__}", partial(point, scene))
        scene.operator.kill()
        scene.operator.start()
    scene.ends("Succeeded")
    assert scene.weights() == [50, 100, 0]
