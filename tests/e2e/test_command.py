"""What CI runs beside a real rollout: `gatewaycanary wait` and `gatewaycanary plan`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from e2e import hooks
from e2e.scenes import Scene, canary_spec, image
from proving.operators import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def command(scene: Scene, *arguments: str, given: str = "") -> subprocess.Popen[str]:
    """Start the command line in the scene's namespace."""
    started = subprocess.Popen(
        [sys.executable, "-m", "gatewaycanary", *arguments, "--namespace", scene.namespace],
        env={
            **os.environ,
            "KUBECONFIG": str(scene.cluster.kubeconfig),
            "PYTHONPATH": str(ROOT / "operator"),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if given and started.stdin is not None:
        started.stdin.write(given)
    return started


def first_line(started: subprocess.Popen[str]) -> str:
    """Wait until it has looked: it then prints where the rollout stands."""
    assert started.stdout is not None
    line = started.stdout.readline()
    assert line
    return line


def ended(started: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for its end; give its exit code and what it printed."""
    printed, errors = started.communicate(timeout=180)
    assert "Traceback" not in errors
    return started.returncode, printed + errors


def test_wait_for_a_promotion(scene: Scene) -> None:
    """Exit code 0 once the image is promoted, with a line for each change, waits named."""
    scene.start()
    scene.apply("2.0.0", steps=({"weight": 50, "approval": True}, 100))
    waiting = command(scene, "wait", "gateway")
    first_line(waiting)
    status = scene.reaches("AwaitingApproval", weight=50)
    scene.annotate("approve", f"{status['revision']}/50")
    code, printed = ended(waiting)
    assert code == 0, printed
    assert scene.ends("Succeeded")
    assert scene.stable_image() == image("2.0.0")
    assert "Raising the canary's weight from 50 to 100 %" in printed


def test_wait_for_a_rollback(scene: Scene) -> None:
    """Exit code 1 and the failed test's own words."""
    scene.start(hooks.pod("echo 'the greeting is rude'; exit 1", name="listens"))
    scene.apply("2.0.0")
    code, printed = ended(command(scene, "wait", "gateway"))
    assert code == 1, printed
    assert "the greeting is rude" in printed
    scene.ends("Failed")


def test_wait_is_bound_to_its_image(scene: Scene) -> None:
    """Exit code 4 when somebody asks for another image meanwhile."""
    scene.start(hooks.pod("sleep 4", name="slow"))
    scene.apply("2.0.0")
    waiting = command(scene, "wait", "gateway")
    first_line(waiting)
    scene.apply("3.0.0")
    code, printed = ended(waiting)
    assert code == 4, printed
    scene.ends("Succeeded")


def test_plan_touches_nothing(scene: Scene) -> None:
    """The plan names every step and nothing is created."""
    scene.start()
    planned = {
        "apiVersion": "canary.soma.dev/v1alpha1",
        "kind": "GatewayCanary",
        "metadata": {"name": "gateway"},
        "spec": canary_spec("2.0.0"),
    }
    code, printed = ended(command(scene, "plan", "-f", "-", given=json.dumps(planned)))
    assert code == 0, printed
    assert "50" in printed
    assert image("2.0.0") in printed
    assert scene.weights() == []
    assert not scene.history.all_current("GatewayCanary")
