"""A bad image goes back, at whatever step it shows itself, and nobody else notices."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.providers import ALL, named
from e2e.scenes import RELEASE, Scene, image

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SIX = (5, 10, 25, 50, 75, 100)


def expect_failure(scene: Scene, reason: str, *, timeout: float = 150.0) -> dict[str, object]:
    """Expect a failed rollout with stable as it was; give the recorded failure."""
    status = scene.ends("Failed", timeout=timeout)
    failure: dict[str, object] = status["failure"]
    assert failure["reason"] == reason, failure
    assert scene.stable_image() == image("1.0.0")
    assert scene.conditions()["Stalled"] == ("True", reason)
    return failure


@pytest.mark.parametrize("weight", SIX)
def test_a_test_fails_at_one_step(scene: Scene, weight: int) -> None:
    """The failing step is the last one; the log of the test stands in the status."""
    scene.start(hooks.fails_at(weight))
    scene.apply("2.0.0", steps=SIX)
    failure = expect_failure(scene, "TestFailed", timeout=220)
    assert failure["weight"] == weight
    assert failure["test"] == "fails-at"
    assert scene.weights() == [*(each for each in SIX if each <= weight), 0]
    (result,) = scene.status()["tests"]
    assert result["verdict"] == "Failed"
    assert f"at {weight} %" in result["logTail"]


@pytest.mark.parametrize("provider", ALL, ids=named)
def test_a_bad_image(scene: Scene) -> None:
    """An image that starts and is ready, but answers wrongly, stops at the first step."""
    scene.start()
    scene.apply("3.0.0", steps=SIX)
    failure = expect_failure(scene, "TestFailed")
    assert failure["weight"] == 5
    assert scene.weights() == [5, 0]


def test_a_hung_test(scene: Scene) -> None:
    """A test that never ends fails when its time is up."""
    scene.start(hooks.pod("sleep 600", name="hangs"))
    scene.apply("2.0.0", tests=[{"helm": {"release": RELEASE}, "timeout": "4s"}])
    failure = expect_failure(scene, "TestTimeout")
    assert failure["test"] == "hangs"
    assert scene.weights() == [50, 0]


def test_an_image_that_cannot_be_pulled(scene: Scene) -> None:
    """Without an image no traffic moves, and the failure says what is wrong."""
    scene.start()
    scene.apply("missing", progressDeadline="3m")
    failure = expect_failure(scene, "ErrImagePull", timeout=220)
    assert "missing" in str(failure["message"])
    assert scene.weights() == []


def test_a_crash_looping_canary(scene: Scene) -> None:
    """A canary that never starts gets no traffic and does not wait for the deadline."""
    scene.start()
    scene.apply("crash", progressDeadline="4m")
    expect_failure(scene, "CrashLoopBackOff", timeout=220)
    assert scene.weights() == []


def test_a_release_without_tests(scene: Scene) -> None:
    """Where tests are asked for and there are none, nothing is green: Invalid."""
    nothing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nothing"}}
    scene.start(nothing)
    scene.apply("2.0.0")
    status = scene.ends("Invalid", timeout=180)
    assert RELEASE in status["message"]
    assert scene.weights() == []
