"""The planner and the real `helm test` do the same with the same charts."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from devcluster import Cluster
from e2e.helm_compare import recordings
from e2e.helm_compare.processes import Process
from e2e.helm_compare.recordings import Entry, Span
from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import OWNER_LABEL
from gatewaycanary.core.observation import RunPhase
from gatewaycanary.core.selectors import service_selects
from gatewaycanary.helmtests import runs, selection
from gatewaycanary.helmtests.render import Aim, RunKey, ServiceAddress
from gatewaycanary.helmtests.steps import Suite
from gatewaycanary.kube import resources
from proving import clusters
from proving.api import NAMESPACE, Api
from proving.helm import Helm
from proving.histories import History

pytestmark = pytest.mark.cluster

CHARTS = Path(__file__).parent / "charts"
KINDS = (*recordings.KINDS, resources.ENDPOINT_SLICE)
ENDED = {RunPhase.PASSED: Verdict.PASSED, RunPhase.FAILED: Verdict.FAILED}


class Place:
    """A namespace in which both run their tests."""

    def __init__(self, cluster: Cluster, api: Api) -> None:
        self.api = api
        self.namespace = f"helm-{uuid.uuid4().hex[:8]}"
        clusters.create_namespace(api, self.namespace)
        self.helm: Helm = clusters.helm_of(cluster, self.namespace)
        self.history = History(api, self.namespace, KINDS)
        self.uid = self._own()

    def _own(self) -> str:
        """Create the resource that owns the tests; no operator runs for this namespace."""
        body = {
            "apiVersion": resources.GATEWAY_CANARY.api_version,
            "kind": resources.GATEWAY_CANARY.kind,
            "metadata": {"name": "web"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "image": "localhost/podinfo:2.0.0",
                "traffic": {"nginx": {"ingress": "web"}},
                "suspend": True,
            },
        }
        made = self.api.create(resources.GATEWAY_CANARY, body, self.namespace)
        return str(made["metadata"]["uid"])

    def process(self, *, weight: int = 5, stable: str = "web", canary: str = "") -> Process:
        """Give a process that runs the release's tests as of now."""
        secrets = self.api.list(resources.SECRET, self.namespace)["items"]
        typed = [{**secret, "kind": "Secret"} for secret in secrets]
        selected = selection.load(typed, release="web", namespace=self.namespace)
        assert selected.problems == ()
        aim = Aim(
            target="canary",
            timeout=timedelta(seconds=60),
            stable=ServiceAddress(name=stable),
            canary=ServiceAddress(name=f"{stable}-canary", cluster_ips=(canary,) * bool(canary)),
            image="localhost/podinfo:2.0.0",
            step="1/6",
        )
        key = RunKey(
            uid=self.uid,
            namespace=self.namespace,
            canary="web",
            revision="rev-1",
            weight=weight,
            suite=0,
            run=1,
        )
        suite = Suite(release="web", hooks=selected.hooks, aim=aim)
        return Process(api=self.api, history=self.history, suite=suite, key=key)

    def caught_up(self) -> int:
        """Wait until the history knows all that is stored now, and give its newest version."""
        body = {"metadata": {"name": f"mark-{uuid.uuid4().hex[:8]}"}}
        made = self.api.create(resources.CONFIG_MAP, body, self.namespace)
        name = made["metadata"]["name"]
        pods = self.api.list(resources.POD, self.namespace)["items"]
        self.history.wait("the mark", lambda: self.history.current("ConfigMap", name))

        def same_pods() -> bool:
            known = {obj["metadata"]["uid"] for obj in self.history.all_current("Pod")}
            return known == {pod["metadata"]["uid"] for pod in pods}

        self.history.wait("the pods", same_pods)
        return int(made["metadata"]["resourceVersion"])

    def helm_tests(self) -> tuple[Span, subprocess.CompletedProcess[str]]:
        """Run the real helm test; give its span and how it ended."""
        since = self.caught_up()
        done = self.helm.start("test", "web", "--timeout", "60s")
        return Span(since=since, until=self.caught_up(), ours=False), done

    def our_tests(self, process: Process) -> tuple[Span, runs.Plan]:
        """Run ours; give its span and how it ended, policies carried out."""
        since = self.caught_up()
        plan = process.run()
        process.settle(ENDED[plan.view.phase])
        return Span(since=since, until=self.caught_up(), ours=True), plan

    def leave(self) -> None:
        """Delete the namespace."""
        self.history.close()
        self.api.delete(NAMESPACE, self.namespace)


@pytest.fixture
def place(cluster: Cluster, api: Api, credentials: Path) -> Iterator[Place]:
    """Give a namespace of the test's own; the CRD is installed with the operator's rights."""
    found = Place(cluster, api)
    try:
        yield found
    finally:
        found.leave()


def compare(place: Place, process: Process) -> tuple[list[Entry], runs.Plan]:
    """Run both and hold one against the other: objects, order, contents, verdict."""
    helm_span, helm = place.helm_tests()
    our_span, plan = place.our_tests(process)
    story = recordings.story(place.history, our_span)
    assert story == recordings.story(place.history, helm_span)
    assert recordings.tests(place.history, our_span) == recordings.tests(place.history, helm_span)
    assert (plan.view.phase is RunPhase.PASSED) == (helm.returncode == 0), helm.stderr
    return story, plan


def install(place: Place, chart: str) -> Process:
    """Install one of the charts here, and give a process that tests it."""
    place.helm.install("web", CHARTS / chart, {})
    return place.process()


def test_order(place: Place) -> None:
    """Weights, names and kinds give the order; supporting objects are there when needed."""
    story, plan = compare(place, install(place, "ordered"))
    assert plan.view.phase is RunPhase.PASSED
    assert story == [
        ("create", "Secret", "settings"),
        ("create", "ConfigMap", "settings"),
        ("create", "ServiceAccount", "tester"),
        ("create", "Job", "b-job"),
        ("create", "Pod", "z-first-of-its-weight"),
        ("create", "Pod", "a-last"),
    ]


def test_each_step_anew(place: Place) -> None:
    """At the next step, and for helm after us, all is run again as if for the first time."""
    process = install(place, "ordered")
    place.our_tests(process)
    process.key = replace(process.key, weight=10)
    _, plan = compare(place, process)
    assert plan.view.phase is RunPhase.PASSED
    assert [result.verdict for result in plan.view.results] == [Verdict.PASSED] * 3


def test_hook_succeeded(place: Place) -> None:
    """What hook-succeeded deletes goes after all tests, the last first."""
    story, plan = compare(place, install(place, "tidy"))
    assert plan.view.phase is RunPhase.PASSED
    assert [(verb, hook) for verb, _, hook in story] == [
        ("create", "settings"),
        ("create", "one"),
        ("create", "two"),
        ("delete", "two"),
        ("delete", "one"),
        ("delete", "settings"),
    ]


def test_failure(place: Place) -> None:
    """A failing test ends the run; it goes by hook-failed, those before it by hook-succeeded."""
    story, plan = compare(place, install(place, "failing"))
    assert plan.view.phase is RunPhase.FAILED
    assert plan.view.failed_test == "b-fails"
    assert plan.view.message == "container test exited with 3"
    assert [hook for *_, hook in story] == [
        "settings",
        "a-passes",
        "b-fails",
        "b-fails",
        "settings",
        "a-passes",
    ]


def test_job(place: Place) -> None:
    """A Job that fails once and then passes has passed, for helm and for us."""
    _, plan = compare(place, install(place, "job"))
    assert plan.view.phase is RunPhase.PASSED


def test_failing_job(place: Place) -> None:
    """A Job that fails has failed, and its pod's exit and log are found."""
    _, plan = compare(place, install(place, "failing-job"))
    assert plan.view.phase is RunPhase.FAILED
    assert "exited with 4" in plan.view.message
    assert plan.log is not None
    pod = place.api.get(resources.POD, plan.log.pod, place.namespace)
    assert pod["metadata"]["labels"][OWNER_LABEL] == place.uid


def starter(place: Place, folder: Path) -> dict[str, Any]:
    """Install what `helm create` writes, with our images; give the Service.

    NB: with a numeric targetPort Helm's own test pod is an endpoint of the Service that it tests,
    and now and then fails by asking itself; the named port of the starter keeps it out.
    """
    place.helm.run("create", str(folder / "web"))
    test = folder / "web" / "templates" / "tests" / "test-connection.yaml"
    test.write_text(test.read_text().replace("image: busybox", "image: localhost/toolbox:1"))
    values = {
        "image": {"repository": "localhost/podinfo", "tag": "1.0.0"},
        "service": {"port": 9898},
    }
    place.helm.install("web", folder / "web", values, "--wait", "--timeout", "60s")
    return place.api.get(resources.SERVICE, "web", place.namespace)


def test_starter_chart(place: Place, tmp_path: Path) -> None:
    """Helm's own starter test passes when aimed at the canary, and is never its endpoint."""
    service = starter(place, tmp_path)
    body = {
        "metadata": {"name": "web-canary"},
        "spec": {key: service["spec"][key] for key in ("ports", "selector")},
    }
    canary = place.api.create(resources.SERVICE, body, place.namespace)
    process = place.process(canary=canary["spec"]["clusterIP"])
    _, plan = compare(place, process)
    assert plan.view.phase is RunPhase.PASSED
    (test,) = (pod for pod in place.history.all_current("Pod") if _is_ours(pod, place.uid))
    selector = service["spec"]["selector"]
    assert not service_selects(selector, test["metadata"]["labels"])
    assert test["spec"]["hostAliases"][0]["ip"] == canary["spec"]["clusterIP"]
    addresses = {
        address
        for record in place.history.records("EndpointSlice")
        for endpoint in record.object.get("endpoints") or ()
        for address in endpoint["addresses"]
    }
    assert addresses
    assert test["status"]["podIP"] not in addresses
    helms = place.history.current("Pod", "web-test-connection")
    assert helms is not None
    assert service_selects(selector, helms["metadata"]["labels"]), "helm's own would be one"


def _is_ours(pod: resources.Object, uid: str) -> bool:
    return bool(pod["metadata"]["labels"].get(OWNER_LABEL) == uid)
