"""A test that was cut off has said nothing: it runs again."""

from __future__ import annotations

import pytest

from e2e import hooks
from e2e.scenes import Scene
from gatewaycanary.kube.resources import POD, Object

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def delete(scene: Scene, pod: Object) -> None:
    """Delete the test pod by hand."""
    scene.delete(POD, pod["metadata"]["name"])


def evict(scene: Scene, pod: Object) -> None:
    """Evict the test pod, as a drain does."""
    name = pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    path = POD.path(namespace=scene.namespace, name=name, subresource="eviction")
    scene.api.request("POST", path, body)


@pytest.mark.parametrize("cut_off", [delete, evict])
def test_a_test_pod_that_goes_is_no_verdict(scene: Scene, cut_off: object) -> None:
    """The run is repeated under the next number and the rollout succeeds with one attempt."""
    scene.start(hooks.pod("sleep 3", name="slow"))
    scene.apply("2.0.0")
    assert callable(cut_off)
    cut_off(scene, scene.runs_a_test(weight=50))
    status = scene.ends("Succeeded")
    assert len(scene.test_pods()) == 3
    assert [each["testsPassed"] for each in status["history"]] == [1, 1]
    assert [each["testsFailed"] for each in status["history"]] == [0, 0]
