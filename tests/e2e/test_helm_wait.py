"""A chart that holds gateway and GatewayCanary together: what `helm upgrade` sees of a rollout."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.scenes import Scene, canary_spec, image
from proving.helm import HelmError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

WAIT = ("--wait", "--timeout", "120s")
CLIENT = "--server-side=false"


def upgrade(scene: Scene, tag: str, *options: str, hook: dict[str, object] | None = None) -> None:
    """Run `helm upgrade` with an image; the chart keeps the live one on the Deployment."""
    scene.install(
        hook or hooks.pod(),
        options=options,
        keepLiveImage=True,
        canary=canary_spec(tag),
    )


def start(scene: Scene) -> None:
    """Install the first version by a release that already holds the GatewayCanary."""
    scene.start(keepLiveImage=True, canary=canary_spec("1.0.0"))
    scene.ends("Idle")


def test_wait_ends_with_the_rollout(scene: Scene) -> None:
    """`helm upgrade --wait` returns when the image is promoted, and not before."""
    start(scene)
    upgrade(scene, "2.0.0", *WAIT)
    assert scene.status()["phase"] == "Succeeded"
    assert scene.stable_image() == image("2.0.0")


def test_wait_fails_with_our_message(scene: Scene) -> None:
    """`helm upgrade --wait` of a bad image fails at once, in our words; the next one heals it."""
    start(scene)
    with pytest.raises(HelmError, match="greets-well"):
        upgrade(scene, "3.0.0", *WAIT)
    assert scene.status()["phase"] == "Failed"
    assert scene.stable_image() == image("1.0.0")
    upgrade(scene, "2.0.0", *WAIT)
    assert scene.stable_image() == image("2.0.0")


@pytest.mark.parametrize("side", ["--server-side=true", CLIENT])
def test_an_unchanged_upgrade_disturbs_nothing(scene: Scene, side: str) -> None:
    """During a rollout and after it, upgrading with the same values changes neither."""
    slow = hooks.pod("sleep 4", name="slow")
    scene.start(slow, keepLiveImage=True, canary=canary_spec("1.0.0"))
    scene.ends("Idle")
    upgrade(scene, "2.0.0", side, hook=slow)
    scene.reaches("Testing", weight=50)
    upgrade(scene, "2.0.0", side, hook=slow)
    scene.ends("Succeeded")
    upgrade(scene, "2.0.0", side, *WAIT, hook=slow)
    assert scene.status()["phase"] == "Succeeded"
    assert scene.stable_image() == image("2.0.0")
    assert scene.weights() == [50, 100, 0]


def test_an_old_tag_server_side_is_a_conflict(scene: Scene) -> None:
    """A chart that still says the old tag cannot take the promoted image away unnoticed."""
    scene.start()
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    with pytest.raises(HelmError, match="conflict"):
        scene.install(replicas=2)
    assert scene.stable_image() == image("2.0.0")


def test_an_old_tag_client_side_is_told(scene: Scene) -> None:
    """A client-side upgrade puts the old tag back: told as divergence, and not fought."""
    scene.start(options=("--wait", "--timeout", "60s", CLIENT))
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    scene.install(hooks.pod(), options=(CLIENT,), replicas=2)
    scene.sees_stable_image("1.0.0")
    scene.when(
        "Promoted=False/StableDiverged",
        lambda: scene.conditions().get("Promoted") == ("False", "StableDiverged"),
    )
    assert scene.weights() == [50, 100, 0]
