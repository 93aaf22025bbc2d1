"""What people say to a running rollout, and what it does."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.scenes import Scene, image
from proving import timelines

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SLOW = hooks.pod("sleep 4", name="slow")


def test_a_step_waits_for_approval(scene: Scene) -> None:
    """Only an approval for this revision and this weight counts."""
    scene.start()
    scene.apply("2.0.0", steps=({"weight": 50, "approval": True}, 100))
    status = scene.reaches("AwaitingApproval", weight=50)
    scene.annotate("approve", f"{status['revision']}/100")
    scene.annotate("approve", "other-1/50")
    assert scene.route_weight() == 50
    scene.annotate("approve", f"{status['revision']}/50")
    scene.ends("Succeeded")


def test_a_step_holds(scene: Scene) -> None:
    """The next weight comes no sooner than the hold says."""
    scene.start()
    scene.apply("2.0.0", steps=({"weight": 50, "hold": "8s"}, 100))
    scene.reaches("Holding", weight=50)
    scene.ends("Succeeded")
    half, everything = [
        shift.record.at
        for shift in timelines.shifts(scene.history.records())
        if shift.after > shift.before
    ]
    assert everything - half >= 7.5


def test_suspend_holds_the_raises(scene: Scene) -> None:
    """Nothing is raised while suspended; afterwards it goes on where it was."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.change_spec({"suspend": True})
    scene.reaches("Suspended")
    assert scene.route_weight() == 50
    scene.change_spec({"suspend": False})
    scene.ends("Succeeded")
    assert scene.weights() == [50, 100, 0]


def test_abort_works_while_suspended(scene: Scene) -> None:
    """A way back is never held."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.change_spec({"suspend": True})
    scene.reaches("Suspended")
    scene.annotate("abort", "enough")
    scene.ends("Failed")
    assert scene.weights() == [50, 0]


def test_abort_and_retry(scene: Scene) -> None:
    """An abort returns all traffic; the image stays away until a retry token asks for it."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.annotate("abort", "by-me")
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == "Aborted"
    assert scene.weights() == [50, 0]
    assert scene.stable_image() == image("1.0.0")
    scene.annotate("retry", "by-me-too")
    scene.ends("Succeeded")
    assert scene.weights() == [50, 0, 50, 100, 0]


def test_abort_during_promotion(scene: Scene) -> None:
    """Stable gets its old image back and is ready before traffic leaves the canary."""
    scene.start(minReadySeconds=6)
    scene.apply("2.0.0")
    scene.sees_stable_image("2.0.0")
    scene.annotate("abort", "by-me")
    scene.ends("Failed")
    assert scene.stable_image() == image("1.0.0")
    assert scene.weights() == [50, 100, 0]


def test_handover(scene: Scene) -> None:
    """The tested canary rests at 100 % until a helm upgrade brings the image to stable."""
    scene.start()
    scene.apply("2.0.0", promotion={"mode": "Handover"})
    scene.reaches("AwaitingHandover", weight=100)
    assert scene.conditions()["Ready"][0] == "True"
    assert scene.stable_image() == image("1.0.0")
    scene.install(hooks.pod(), image={"tag": "2.0.0"})
    scene.ends("Succeeded")
    assert scene.weights() == [50, 100, 0]
