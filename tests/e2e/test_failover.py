"""Two operators, one leads: what the standby does once the leader is gone, or only seems to be."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.waiting import wait_until
from e2e import hooks
from e2e.scenes import Scene, image
from proving import timelines
from proving.operators import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture
def leader(scene: Scene, credentials: Path, tmp_path: Path) -> Iterator[Operator]:
    """Give an operator that leads before the scene's own, which then stands by."""
    first = Operator(kubeconfig=credentials, namespace=scene.namespace, log=tmp_path / "leader.log")
    first.start()
    first.await_ready()
    first.await_metrics(lambda told: "gatewaycanary_leader 1.0" in told)
    yield first
    first.kill()


def test_a_test_that_fails_while_nobody_leads(scene: Scene, leader: Operator) -> None:
    """The standby's first write of all is weight 0."""
    scene.start(hooks.pod("sleep 3; exit 1", name="fails"))
    scene.apply("2.0.0")
    scene.runs_a_test(weight=50)
    leader.kill()
    scene.when(
        "the test failed",
        lambda: [each for each in scene.test_pods() if each["status"].get("phase") == "Failed"],
    )
    orphaned = max(each.version for each in scene.history.records())
    scene.ends("Failed")
    written = scene.history.records("Ingress", "GatewayCanary")
    first = next(each for each in written if each.version > orphaned)
    assert first.kind == "Ingress"
    assert timelines.weight(first.object) == 0
    assert scene.weights() == [50, 0]


def test_a_leader_that_is_paused_past_its_lease(scene: Scene, leader: Operator) -> None:
    """The standby goes on alone; the old leader wakes, writes nothing, says why, and ends."""
    scene.start(hooks.pod("sleep 2", name="slow"))
    scene.apply("2.0.0")
    scene.runs_a_test(weight=50)
    os.kill(leader.pid, signal.SIGSTOP)
    scene.ends("Succeeded")
    ended = max(each.version for each in scene.history.records("GatewayCanary"))
    os.kill(leader.pid, signal.SIGCONT)
    assert wait_until(leader.has_ended, 20.0), "the old leader goes on"
    # Whichever of its tasks wakes first tells: the one that renews, or a worker at its next write.
    told = leader.log.read_text()
    assert "could not renew the lease" in told or "does not hold" in told
    assert scene.weights() == [50, 100, 0]
    assert scene.stable_image() == image("2.0.0")
    assert max(each.version for each in scene.history.records("GatewayCanary")) == ended
