"""How Flagger and Argo Rollouts fail, and that this operator does not: ten tests, one a failure.

From the code and the issue threads of both, and from runs of both. A number names the same failure
wherever the documents speak of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from e2e import hooks
from e2e.policies import FENCE
from e2e.providers import ISTIO, NGINX, named
from e2e.scenes import RELEASE, Scene, image
from gatewaycanary.kube.resources import DEPLOYMENT, GATEWAY_CANARY, POD, Object, Resource
from integration.engine.outages import way_to
from proving import timelines
from proving.operators import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

QUOTA = Resource("", "v1", "resourcequotas", "ResourceQuota")
POLICY = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
SLOW = hooks.pod("sleep 6", name="slow")


def carried(scene: Scene) -> list[int]:
    """Give the weights that were recorded, step by step."""
    return [each["weight"] for each in scene.status()["history"]]


def stable_pods(scene: Scene) -> list[Object]:
    """Give the pods of the target itself."""
    return [
        each
        for each in scene.history.all_current("Pod")
        if timelines.labels(each).get("app.kubernetes.io/name") == "gateway"
        and "deletionTimestamp" not in each["metadata"]
    ]


@pytest.mark.parametrize("provider", [NGINX, ISTIO], ids=named)
def test_1_the_live_weight_is_taken_for_the_state(scene: Scene) -> None:
    """A weight outside of the steps jumps nowhere and restarts nothing: the next step is next."""
    scene.start(SLOW)
    scene.apply("2.0.0", steps=[25, 50, 100])
    scene.reaches("Testing", weight=25)
    scene.provider.edit(scene, "33")
    scene.carries(25)
    status = scene.ends("Succeeded")
    assert carried(scene) == [25, 50, 100]
    assert status["state"]["ordinal"] == 1


def test_2_an_abort_waits_until_all_of_stable_is_available(scene: Scene) -> None:
    """With one of stable's two pods not ready, an abort takes the traffic off at once."""
    scene.start(SLOW, replicas=2)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    name = stable_pods(scene)[0]["metadata"]["name"]
    place = POD.path(namespace=scene.namespace, name=f"{name}:9898", subresource="proxy")
    scene.api.request("POST", f"{place}/readyz/disable", {})

    def available() -> int:
        stable = scene.history.current("Deployment", "gateway") or {}
        return int(timelines.status(stable).get("availableReplicas", 0))

    scene.when("one of stable's pods is not available", lambda: available() == 1)
    scene.annotate("abort", "now")
    scene.carries(0)
    assert available() == 1
    assert scene.ends("Failed")["failure"]["reason"] == "Aborted"


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        pytest.param(hooks.pod("echo hello; sleep 600", name="t"), "TestTimeout", id="time-out"),
        pytest.param(hooks.job("echo hello; sleep 600", name="t"), "TestTimeout", id="endless-job"),
    ],
)
def test_3_a_test_loses_its_output_or_hangs_the_rollout(
    scene: Scene, hook: dict[str, Any], reason: str
) -> None:
    """A time-out holds, also for a Job without a deadline; one run at most, its output is kept."""
    scene.start(hook)
    scene.apply("2.0.0", tests=[{"helm": {"release": RELEASE}, "timeout": "4s"}])
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == reason
    assert len(scene.test_pods()) == 1
    (result,) = status["tests"]
    assert "hello" in result["logTail"]


def test_3_an_image_that_cannot_be_pulled_pauses_the_rollout(scene: Scene) -> None:
    """A test whose image is not to be had has failed, and says so."""
    scene.start(hooks.pod(name="t", containers=[{"name": "t", "image": "localhost/nothing:1"}]))
    scene.apply("2.0.0")
    status = scene.ends("Failed", timeout=220)
    assert "localhost/nothing:1" in status["failure"]["message"]
    assert scene.weights() == [50, 0]


def test_4_no_tool_can_wait_for_the_end(scene: Scene) -> None:
    """observedGeneration is a number and the conditions are those that kubectl wait asks for."""
    scene.start()
    scene.apply("2.0.0")
    scene.kubectl("wait", "gatewaycanary/gateway", "--for=condition=Ready", "--timeout=80s")
    found = scene.api.get(GATEWAY_CANARY, "gateway", scene.namespace)
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    assert scene.ends("Succeeded")["phase"] == "Succeeded"
    assert scene.stable_image() == image("2.0.0")


def test_5_nobody_has_tried_an_api_server_that_goes_away(
    scene: Scene, credentials: Path, tmp_path: Path
) -> None:
    """Killed, and drifting, is tried elsewhere; cut off in mid-step, it goes on where it was."""
    scene.outage_allowed = True
    with way_to(credentials, tmp_path) as (way, kubeconfig):
        scene.operator = Operator(
            kubeconfig=kubeconfig, namespace=scene.namespace, log=scene.operator.log
        )
        # An outage that outlasts its lease would end the process, and nobody starts it anew here.
        scene.operator.elects = False
        scene.start(SLOW)
        scene.apply("2.0.0")
        test = scene.runs_a_test(weight=50)["metadata"]["name"]
        way.cut()
        scene.when(
            "the test has ended unseen",
            lambda: scene.history.current("Pod", test)["status"]["phase"] == "Succeeded",  # type: ignore[index]
        )
        way.mend()
        scene.ends("Succeeded")
        assert scene.weights() == [50, 100, 0]
        scene.operator.stop()


def test_6_an_abort_is_not_heard_while_something_is_invalid(scene: Scene) -> None:
    """A contradiction that comes in mid-ramp is told, and a person is heard all the same."""
    scene.start(hooks.pod("sleep 20", name="slow"))
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.api.apply(POLICY, FENCE, scene.namespace)
    scene.annotate("abort", "now")
    scene.carries(0, timeout=20)
    assert scene.ends("Failed")["failure"]["reason"] == "Aborted"


def test_6_a_target_that_is_gone_leaves_everything_in_place(scene: Scene) -> None:
    """It is a wait with a name, nothing is raised, and with the target it goes on by itself."""
    scene.losses_allowed = True
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.delete(DEPLOYMENT, "gateway", propagationPolicy="Foreground")
    scene.says_reason("StableUnavailable")
    assert scene.route_weight() == 50
    scene.install(SLOW)
    scene.ends("Succeeded")
    assert scene.weights()[-1] == 0


@pytest.mark.parametrize("provider", [ISTIO], ids=named)
def test_7_deletion_leaves_weights_behind(scene: Scene) -> None:
    """Deleted in mid-ramp, the user's route equals what it was, to the owners of its fields."""
    scene.start(SLOW)
    before = scene.api.get(scene.provider.resource, "gateway", scene.namespace)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    scene.delete(GATEWAY_CANARY, "gateway")
    after = scene.api.get(scene.provider.resource, "gateway", scene.namespace)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["managedFields"] == before["metadata"]["managedFields"]
    assert scene.stable_image() == image("1.0.0")


def test_8_promotion_answers_503(scene: Scene) -> None:
    """Stable is one pod and rolls out under load: no request is lost, no twin Ingress is left."""
    scene.start(minReadySeconds=3)
    scene.apply("2.0.0")
    scene.ends("Succeeded")
    assert scene.history.current("Ingress", "gateway-canary") is None
    marks = {
        timelines.notes(each.object).get("nginx.ingress.kubernetes.io/canary")
        for each in scene.history.records("Ingress")
        if each.name == "gateway-canary"
    }
    assert marks == {"true"}
    assert scene.stream.lost() == []


def test_9_metrics_go_stale_and_stop_at_ten_seconds(scene: Scene) -> None:
    """The weight is a metric, durations reach to hours, and a deleted object leaves no series."""
    scene.start(SLOW)
    scene.apply("2.0.0")
    scene.reaches("Testing", weight=50)
    labels = f'name="gateway",namespace="{scene.namespace}"'
    scene.operator.await_metrics(lambda text: f"gatewaycanary_weight{{{labels}}} 50.0" in text)
    scene.ends("Succeeded")
    assert 'gatewaycanary_step_duration_seconds_bucket{le="3600.0"}' in scene.operator.metrics()
    scene.delete(GATEWAY_CANARY, "gateway")
    scene.operator.await_metrics(lambda text: labels not in text)


def test_10_the_promotion_itself_fails(scene: Scene) -> None:
    """The new image cannot roll out on stable: the old one is restored, and nobody notices."""
    scene.start(SLOW)
    scene.apply("2.0.0", progressDeadline="15s")
    scene.reaches("Testing", weight=100)
    quota = {"metadata": {"name": "full"}, "spec": {"hard": {"pods": "1"}}}
    scene.api.create(QUOTA, {"apiVersion": "v1", "kind": "ResourceQuota", **quota}, scene.namespace)
    scene.sees_stable_image("2.0.0")
    status = scene.ends("Failed")
    assert status["failure"]["reason"] == "PromotionDeadlineExceeded"
    assert scene.stable_image() == image("1.0.0")
    assert scene.weights() == [50, 100, 0]
