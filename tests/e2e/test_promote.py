"""A good image reaches everybody, whatever kinds of tests it has to pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e import hooks
from e2e.providers import ALL, named
from e2e.scenes import RELEASE, Scene, image
from gatewaycanary.kube.resources import CONFIG_MAP

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SIX = (5, 10, 25, 50, 75, 100)


@pytest.mark.parametrize("provider", ALL, ids=named)
def test_six_steps_to_everybody(scene: Scene) -> None:
    """All six weights are carried in order, each is tested, and stable ends with the new image."""
    scene.start(replicas=2)
    scene.apply("2.0.0", steps=SIX)
    status = scene.ends("Succeeded", timeout=220)
    assert scene.weights() == [*SIX, 0]
    assert [each["weight"] for each in status["history"]] == list(SIX)
    assert all(each["testsPassed"] == 1 for each in status["history"])
    assert scene.stable_image() == image("2.0.0")
    assert scene.conditions()["Ready"][0] == "True"
    assert scene.conditions()["Promoted"][0] == "True"
    assert set(scene.stream.versions()) == {"1.0.0", "2.0.0"}
    columns = scene.kubectl("get", "gatewaycanary").splitlines()[0].split()
    assert columns == ["NAME", "PHASE", "STEP", "WEIGHT", "TESTS", "IMAGE", "MESSAGE", "AGE"]


def test_tests_by_job(scene: Scene) -> None:
    """A Job is as good a test as a Pod."""
    scene.start(hooks.job())
    scene.apply("2.0.0")
    status = scene.ends("Succeeded")
    assert [each["testsPassed"] for each in status["history"]] == [1, 1]


def test_weights_order_the_hooks_and_their_supporting_objects(scene: Scene) -> None:
    """ConfigMap and ServiceAccount come before the tests that use them, light before heavy."""
    mounted = {"volumes": [{"name": "wanted", "configMap": {"name": "wanted"}}]}
    reader = hooks.pod(
        "grep -q 2.0.0 /wanted/version", name="reader", weight=1, serviceAccountName="tester"
    )
    reader["spec"] |= mounted
    reader["spec"]["containers"][0]["volumeMounts"] = [{"name": "wanted", "mountPath": "/wanted"}]
    scene.start(
        hooks.job(name="heavy", weight=2),
        reader,
        hooks.support("ConfigMap", "wanted", data={"version": "2.0.0"}),
        hooks.support("ServiceAccount", "tester"),
    )
    scene.apply("2.0.0", steps=(100,))
    status = scene.ends("Succeeded")
    assert status["history"][0]["testsPassed"] == 2
    first, second = scene.test_pods()
    assert first["metadata"]["name"].startswith("reader")
    assert first["spec"]["serviceAccountName"] == "tester"
    assert second["metadata"]["name"].startswith("heavy")


def test_a_test_that_only_the_new_version_passes(scene: Scene) -> None:
    """An unmodified test that names the stable Service is answered by the canary alone."""
    ask = "curl -fsS http://gateway/version | grep -q 2.0.0 || exit 1"
    script = f"for i in 1 2 3 4 5 6 7 8; do {ask}; done"
    scene.start(hooks.pod(script, name="only-new"))
    scene.apply("2.0.0")
    scene.ends("Succeeded")


def test_the_starter_charts_test_is_no_endpoint(scene: Scene, tmp_path: Path) -> None:
    """Helm's starter chart, with a numeric targetPort: its labelled test pod takes no traffic."""
    chart = starter(scene, tmp_path)
    scene.start(
        chart=chart,
        image={"repository": "localhost/podinfo", "tag": "1.0.0"},
        service={"type": "ClusterIP", "port": 9898},
        ingress={
            "enabled": True,
            "className": "nginx",
            "hosts": [{"host": scene.host, "paths": [{"path": "/", "pathType": "Prefix"}]}],
        },
    )
    name = f"{RELEASE}-starter"
    scene.apply(
        "2.0.0",
        targetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        traffic={"nginx": {"ingress": name}, "settle": "500ms"},
    )
    scene.ends("Succeeded")
    tested = scene.test_pods()
    assert len(tested) == 2
    assert all(each["metadata"]["labels"] for each in tested)


def test_there_and_back_again(scene: Scene) -> None:
    """v2, v1 and v2 once more: three rollouts, three revisions, none confused with another."""
    scene.start(hooks.pod("true", name="fine"))
    revisions = []
    for tag in ("2.0.0", "1.0.0", "2.0.0"):
        scene.apply(tag)
        revisions.append(scene.ends("Succeeded")["revision"])
        assert scene.stable_image() == image(tag)
    assert len(set(revisions)) == 3


def test_retry_of_an_image_that_failed(scene: Scene) -> None:
    """The same image, refused once, is rolled out anew on a retry token, and only then."""
    switch = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "switch"},
        "data": {"works": "no"},
    }
    test = hooks.pod("test $(cat /switch/works) = yes", name="switched")
    test["spec"]["volumes"] = [{"name": "switch", "configMap": {"name": "switch"}}]
    test["spec"]["containers"][0]["volumeMounts"] = [{"name": "switch", "mountPath": "/switch"}]
    scene.start(test, switch)
    scene.apply("2.0.0")
    failed = scene.ends("Failed")
    scene.api.merge(CONFIG_MAP, "switch", {"data": {"works": "yes"}}, scene.namespace)
    scene.annotate("retry", "once-more")
    succeeded = scene.ends("Succeeded")
    assert failed["revision"] != succeeded["revision"]
    assert scene.stable_image() == image("2.0.0")


def starter(scene: Scene, folder: Path) -> Path:
    """Let helm write its starter chart, with our images where its own cannot be pulled."""
    chart = folder / "starter"
    scene.helm.run("create", str(chart))
    test = chart / "templates" / "tests" / "test-connection.yaml"
    test.write_text(test.read_text().replace("image: busybox", "image: localhost/toolbox:1"))
    service = chart / "templates" / "service.yaml"
    service.write_text(service.read_text().replace("targetPort: http", "targetPort: 9898"))
    return chart
