"""What Prometheus and `kubectl get events` tell of a real rollout."""

from __future__ import annotations

import pytest

from e2e.scenes import Scene
from gatewaycanary.kube.resources import GATEWAY_CANARY

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def test_metrics_come_and_go_with_the_object(scene: Scene) -> None:
    """Result, weight and phase are there while the object is; afterwards no series names it."""
    scene.start()
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    labels = f'name="gateway",namespace="{scene.namespace}"'
    told = scene.operator.metrics()
    assert f"gatewaycanary_weight{{{labels}}} 0.0" in told
    assert f'gatewaycanary_phase{{{labels},phase="Succeeded"}} 1.0' in told
    assert f'gatewaycanary_phase{{{labels},phase="Testing"}} 0.0' in told
    assert f"gatewaycanary_rollouts_total{{{labels}," in told
    assert "gatewaycanary_step_duration_seconds_count 2.0" in told
    scene.delete(GATEWAY_CANARY, "gateway")
    scene.operator.await_metrics(lambda text: labels not in text)


def test_each_transition_has_an_event(scene: Scene) -> None:
    """Start, each step, promotion and end, in reasons that can be told apart."""
    scene.start()
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    wanted = {"RolloutStarted", "Raising", "Promoting", "Succeeded"}
    scene.when("the events", lambda: wanted <= scene.reasons())
