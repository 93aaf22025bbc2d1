"""A run goes through its hooks as Helm does, whatever happens to it on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import OWNER_LABEL, RUN_LABEL
from gatewaycanary.core.observation import PodFault, RunPhase
from gatewaycanary.core.writes import Create, Delete
from gatewaycanary.helmtests import runs
from gatewaycanary.helmtests.release import Hook
from gatewaycanary.helmtests.render import object_name
from unit.helmtests.cluster import Namespace, Session
from unit.helmtests.objects import KEY, UID, Json, at, hook, manifest, our_labels, pod, waiting

DATA = hook("ConfigMap", "data", weight=-1)
ONE = hook(name="one")
TWO = hook(name="two")
NEXT = replace(KEY, weight=50)


def session(*hooks: Hook) -> Session:
    """Give a process that runs these hooks in an empty namespace."""
    return Session(namespace=Namespace(), hooks=hooks)


def foreign(name: str, **metadata: object) -> Json:
    """Give an object of somebody else."""
    return {"metadata": {"name": name, "namespace": "shop", "uid": "theirs", **metadata}}


def test_one_hook_at_a_time() -> None:
    """Supporting objects come first by weight, then each test after the one before passed."""
    process = session(DATA, ONE, TWO)
    first = process.drive()
    assert first.view.phase is RunPhase.RUNNING
    assert process.namespace.names("ConfigMap") == ["data"]
    assert process.namespace.names("Pod") == [object_name(ONE, KEY)]
    process.namespace.finish()
    process.drive()
    assert process.namespace.names("Pod") == [object_name(ONE, KEY), object_name(TWO, KEY)]
    process.namespace.finish()
    last = process.drive()
    assert last.view.phase is RunPhase.PASSED
    assert [(r.name, r.verdict, r.duration_seconds) for r in last.view.results] == [
        ("one", Verdict.PASSED, 2.0),
        ("two", Verdict.PASSED, 2.0),
    ]


def test_work_is_told() -> None:
    """The view says that there is something to do exactly while there is an effect."""
    process = session(DATA, ONE)
    assert process.step().view.work
    assert process.step().view.work
    waits = process.step()
    assert not waits.view.work
    assert [result.verdict for result in waits.view.results] == [Verdict.RUNNING]
    assert waits.view.objects_left


def test_nothing_left_before_the_first_effect() -> None:
    """A run that has created nothing leaves nothing."""
    assert not session(ONE).plan().view.objects_left


def test_failure_stops_the_run() -> None:
    """The first failure is the run's; later tests are not started."""
    process = session(ONE, TWO)
    failed = process.run({"one": 7})
    assert failed.view.phase is RunPhase.FAILED
    assert (failed.view.failed_test, failed.view.reason) == ("one", "TestFailed")
    assert failed.view.message == "container test exited with 7"
    assert failed.log is not None
    assert (failed.log.pod, failed.log.container) == (object_name(ONE, KEY), "test")
    assert failed.view.log_tail == ""
    assert process.namespace.names("Pod") == [object_name(ONE, KEY)]


def test_no_log_to_read() -> None:
    """Where no container ever ran, the view's log says so at once and why."""
    process = session(ONE)
    process.drive()
    name = object_name(ONE, KEY)
    stuck = pod("Pending", name=name, containers=[waiting("InvalidImageName")], labels=our_labels())
    process.namespace.put("Pod", stuck)
    failed = process.plan()
    assert failed.view.phase is RunPhase.FAILED
    assert failed.view.reason == "InvalidImageName"
    assert failed.log is None
    assert "no log" in failed.view.log_tail


def test_hung_test_tells_its_log() -> None:
    """While a test runs its log can be read: the suite's time may run out before it ends."""
    process = session(ONE)
    process.drive()
    (running,) = process.namespace.objects.values()
    state = {"name": "test", "state": {"running": {}}}
    running["status"] = {"phase": "Running", "containerStatuses": [state]}
    plan = process.plan()
    assert plan.view.phase is RunPhase.RUNNING
    assert plan.log is not None


def test_job_and_its_pods() -> None:
    """A Job is judged with the pods that it owns, and its failed pod's log is read."""
    process = session(hook("Job", "batch"))
    process.drive()
    ((_, name),) = process.namespace.objects
    made = process.namespace.objects["Job", name]
    process.namespace.put("Pod", pod(name="p1", owner=made["metadata"]["uid"], labels=our_labels()))
    assert process.plan().view.phase is RunPhase.RUNNING
    process.namespace.finish(code=9, kind="Pod")
    reason = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    made["status"] = {"conditions": [reason]}
    failed = process.plan()
    assert failed.view.phase is RunPhase.FAILED
    assert "exited with 9" in failed.view.message
    assert failed.log is not None
    assert failed.log.pod == "p1"


@pytest.mark.parametrize(("limit", "phase"), [(6, RunPhase.RUNNING), (1, RunPhase.FAILED)])
def test_job_restarts(limit: int, phase: RunPhase) -> None:
    """A Job that asks for more restarts than three gets them; the default stays three."""
    written = manifest("Job", "batch")
    written["spec"]["backoffLimit"] = limit
    process = session(hook("Job", "batch", written=written))
    process.drive()
    (made,) = process.namespace.objects.values()
    crashing = pod(
        name="p1",
        owner=made["metadata"]["uid"],
        labels=our_labels(),
        containers=[waiting("CrashLoopBackOff", restarts=4)],
    )
    process.namespace.put("Pod", crashing)
    assert process.plan().view.phase is phase


# -- interruptions ------------------------------------------------------------------------------


def test_gone_pod_is_no_verdict() -> None:
    """A test pod that this process has seen and that is there no more interrupts the run."""
    process = session(ONE)
    process.drive()
    process.plan()
    process.namespace.objects.clear()
    interrupted = process.plan()
    assert interrupted.view.phase is RunPhase.INTERRUPTED
    assert "one is gone" in interrupted.view.message
    assert interrupted.effect is None


def test_passed_test_may_vanish() -> None:
    """A test that passed has passed, though its pod is gone before the next one ends."""
    process = session(ONE, TWO)
    process.drive()
    process.namespace.finish()
    process.drive()
    del process.namespace.objects["Pod", object_name(ONE, KEY)]
    process.namespace.finish()
    assert process.plan().view.phase is RunPhase.PASSED


def test_next_run_after_an_interruption() -> None:
    """The next run has objects of its own, and begins with the first test."""
    process = session(ONE, TWO)
    process.drive()
    process.namespace.finish()
    process.drive()
    process.namespace.objects.clear()
    assert process.plan().view.phase is RunPhase.INTERRUPTED
    process.key = replace(KEY, run=2)
    assert process.run().view.phase is RunPhase.PASSED
    assert process.namespace.names("Pod") == [object_name(h, process.key) for h in (ONE, TWO)]


# -- never two runs at once ---------------------------------------------------------------------


def test_earlier_run_is_ended_first() -> None:
    """A test of an earlier run that still runs is deleted, and waited for, before anything else."""
    process = session(ONE)
    process.drive()
    process.key = NEXT
    plan = process.plan()
    assert isinstance(plan.effect, Delete)
    assert plan.effect.name == object_name(ONE, KEY)
    leaving = pod(name=object_name(ONE, KEY), labels=our_labels(), deleted=5)
    process.namespace.put("Pod", leaving)
    waits = process.plan(10)
    assert waits.effect is None
    assert waits.view.phase is RunPhase.RUNNING
    assert waits.view.look_again_at == at(65)
    assert isinstance(process.plan(65).effect, Create)


def test_earlier_run_that_ended_stays() -> None:
    """Tests of the step before that ended are kept until the end, without a request."""
    process = session(ONE)
    process.run()
    process.key = NEXT
    process.run()
    assert len(process.namespace.names("Pod")) == 2
    assert [told[0] for told in process.namespace.told] == ["create", "create"]


def test_earlier_run_is_given_up_in_reverse() -> None:
    """What hook-succeeded deletes of the step before goes as Helm would: the last hook first."""
    process = session(*hooks_by_policy())
    process.run()
    process.key = NEXT
    process.namespace.told.clear()
    process.drive()
    names = [object_name(TWO, KEY), object_name(ONE, KEY), "data"]
    deleted = [name for verb, _, name in process.namespace.told if verb == "delete"]
    assert deleted == names


@pytest.mark.parametrize(
    ("policies", "code", "deleted"),
    [
        (("hook-succeeded",), 0, True),
        (("hook-succeeded",), 1, False),
        (("hook-failed",), 1, True),
        (("hook-failed",), 0, False),
        (("before-hook-creation",), 0, False),
    ],
)
def test_earlier_run_is_given_up_by_policy(
    policies: tuple[str, ...], code: int, deleted: bool
) -> None:
    """What its policy gives up goes when the next run begins, if it has not gone before."""
    process = session(hook(name="one", policies=policies))
    process.run({"one": code})
    process.key = NEXT
    process.drive()
    assert (object_name(ONE, KEY) not in process.namespace.names("Pod")) is deleted


# -- deletions by policy ------------------------------------------------------------------------


def hooks_by_policy(*, failed: str = "hook-succeeded") -> tuple[Hook, ...]:
    """Give a supporting object and two tests that Helm would delete."""
    both = ("hook-succeeded", "before-hook-creation")
    return (
        hook("ConfigMap", "data", policies=both),
        hook(name="one", policies=both),
        hook(name="two", policies=(failed,)),
    )


def test_deleted_after_success_in_reverse() -> None:
    """Once the verdict is recorded, hook-succeeded objects go, the last one first."""
    process = session(*hooks_by_policy())
    assert process.run().view.phase is RunPhase.PASSED
    assert process.plan().effect is None, "nothing goes before the verdict is recorded"
    process.namespace.told.clear()
    done = process.drive(recorded=Verdict.PASSED)
    names = [object_name(hook(name="two"), KEY), object_name(ONE, KEY), "data"]
    assert [(verb, name) for verb, _, name in process.namespace.told] == [
        ("delete", name) for name in names
    ]
    assert done.view.phase is RunPhase.PASSED
    assert not done.view.objects_left


def test_deleted_after_failure() -> None:
    """A failed hook goes by hook-failed, then those before it by hook-succeeded, in order."""
    process = session(*hooks_by_policy(failed="hook-failed"))
    assert process.run({"two": 1}).view.phase is RunPhase.FAILED
    process.namespace.told.clear()
    done = process.drive(recorded=Verdict.FAILED)
    names = [object_name(hook(name="two"), KEY), "data", object_name(ONE, KEY)]
    assert [name for _, _, name in process.namespace.told] == names
    assert done.view.phase is RunPhase.FAILED


def test_failed_pod_without_policy_stays() -> None:
    """A failed pod that only hook-succeeded would delete is kept for people until the end."""
    process = session(*hooks_by_policy())
    process.run({"two": 1})
    process.drive(recorded=Verdict.FAILED)
    assert process.namespace.names("Pod") == [object_name(TWO, KEY)]


def test_recorded_run_creates_nothing() -> None:
    """After its verdict is recorded a run never creates again, not even what it deleted."""
    process = session(*hooks_by_policy())
    process.run()
    process.drive(recorded=Verdict.PASSED)
    process.memory = type(process.memory)()
    assert process.drive(recorded=Verdict.PASSED).effect is None
    assert process.namespace.objects == {}
    assert process.drive(recorded=Verdict.INTERRUPTED).view.phase is RunPhase.INTERRUPTED


# -- what exists already ------------------------------------------------------------------------


def test_crash_between_effects() -> None:
    """A successor finds what was created and goes on, creating nothing twice."""
    process = session(DATA, ONE, TWO)
    process.drive()
    process.namespace.finish()
    process.drive()
    successor = Session(namespace=process.namespace, hooks=process.hooks)
    successor.drive()
    process.namespace.finish()
    assert successor.drive().view.phase is RunPhase.PASSED
    creations = [told for told in process.namespace.told if told[0] == "create"]
    assert len(creations) == len(set(creations)) == 3
    assert len(process.namespace.told) == 3


def test_supporting_object_of_the_step_before_is_made_anew() -> None:
    """As with helm test, the default policy deletes and creates; the memory saves the look."""
    process = session(DATA, ONE)
    process.run()
    process.key = NEXT
    process.namespace.told.clear()
    process.run()
    assert [(verb, kind) for verb, kind, _ in process.namespace.told] == [
        ("delete", "ConfigMap"),
        ("create", "ConfigMap"),
        ("create", "Pod"),
    ]
    (made,) = [o for (k, _), o in process.namespace.objects.items() if k == "ConfigMap"]
    assert made["metadata"]["labels"][RUN_LABEL] == NEXT.label


def test_supporting_object_without_the_policy_is_kept() -> None:
    """A hook that only hook-failed deletes is left in place for the next step."""
    process = session(hook("ConfigMap", "data", weight=-1, policies=("hook-failed",)), ONE)
    process.run()
    process.key = NEXT
    process.run()
    assert [told for told in process.namespace.told if told[1] == "ConfigMap"] == [
        ("create", "ConfigMap", "data")
    ]


HELM_LABELS = {"app.kubernetes.io/managed-by": "Helm"}
HELM_MANAGED = [{"manager": "helm", "operation": "Apply"}]
RELEASE = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"}
TEST = {"helm.sh/hook": "test"}


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": HELM_LABELS, "annotations": TEST},
        {"annotations": TEST, "managedFields": HELM_MANAGED},
        {"annotations": {**TEST, **RELEASE}},
        {"annotations": TEST, "labels": {OWNER_LABEL: "another canary's"}},
    ],
)
def test_what_the_release_left_is_used(metadata: Json) -> None:
    """What helm test, or another canary of the release, left of the same hook is no obstacle."""
    process = session(hook("ConfigMap", "data", weight=-1, policies=("hook-failed",)), ONE)
    process.namespace.put("ConfigMap", foreign("data", **metadata))
    assert process.run().view.phase is RunPhase.PASSED
    assert process.namespace.objects["ConfigMap", "data"]["metadata"]["uid"] == "theirs"


def test_what_helm_left_is_replaced_by_policy() -> None:
    """With before-hook-creation, what helm test left goes first, as it would for helm test."""
    process = session(DATA, ONE)
    left = foreign("data", labels=HELM_LABELS, annotations=TEST)
    process.namespace.put("ConfigMap", left)
    assert process.run().view.phase is RunPhase.PASSED
    assert process.namespace.told[:2] == [
        ("delete", "ConfigMap", "data"),
        ("create", "ConfigMap", "data"),
    ]


def test_another_canarys_object_is_not_replaced() -> None:
    """Two canaries of one release share a supporting object; neither pulls it from the other."""
    process = session(DATA, ONE)
    theirs = foreign("data", labels={OWNER_LABEL: "another"}, annotations=TEST)
    process.namespace.put("ConfigMap", theirs)
    assert process.run().view.phase is RunPhase.PASSED
    assert ("delete", "ConfigMap", "data") not in process.namespace.told


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"annotations": TEST},
        {"labels": HELM_LABELS},
        {"labels": HELM_LABELS, "annotations": {"helm.sh/hook": "pre-install"}},
        {"annotations": {**TEST, **RELEASE, "meta.helm.sh/release-name": "other"}},
        {"annotations": {**TEST, **RELEASE, "meta.helm.sh/release-namespace": "there"}},
        {"labels": {**HELM_LABELS, "app.kubernetes.io/instance": "other"}, "annotations": TEST},
    ],
)
def test_foreign_objects_are_not_touched(metadata: Json) -> None:
    """An object that is neither ours nor the release's fails the test by its name."""
    process = session(DATA, ONE)
    process.namespace.put("ConfigMap", foreign("data", **metadata))
    failed = process.drive().view
    assert (failed.phase, failed.reason) == (RunPhase.FAILED, "TestObjectConflict")
    assert failed.failed_test == "data"
    assert "ConfigMap data" in failed.message
    assert process.namespace.told == []
    assert failed.log_tail


def test_foreign_pod_of_our_name() -> None:
    """A pod that has our run's name but another owner is not taken for our test."""
    process = session(ONE)
    process.namespace.put("Pod", foreign(object_name(ONE, KEY), labels={}))
    failed = process.drive().view
    assert (failed.phase, failed.reason) == (RunPhase.FAILED, "TestObjectConflict")


def test_a_conflict_is_forgotten_with_its_run() -> None:
    """Once the foreign object is gone, the next run does not remember it."""
    process = session(DATA, ONE)
    process.namespace.put("ConfigMap", foreign("data"))
    assert process.drive().view.phase is RunPhase.FAILED
    process.namespace.objects.clear()
    process.key = replace(KEY, run=2)
    assert process.run().view.phase is RunPhase.PASSED


def test_object_on_its_way_out() -> None:
    """An object that is being deleted is waited for, then created."""
    process = session(DATA, ONE)
    leaving = foreign("data", labels=our_labels(), deletionTimestamp="2026-01-02T03:04:05Z")
    process.namespace.put("ConfigMap", leaving)
    waits = process.drive(10)
    assert waits.view.phase is RunPhase.RUNNING
    assert waits.view.look_again_at == at(11)
    assert isinstance(process.step(11).effect, Create)
    assert process.drive(11.5).view.look_again_at == at(12)
    process.namespace.objects.clear()
    process.drive(12)
    assert process.namespace.names("ConfigMap") == ["data"]


def test_deletion_of_what_is_gone() -> None:
    """A remembered object that somebody else deleted is created again."""
    process = session(DATA, ONE)
    process.run()
    del process.namespace.objects["ConfigMap", "data"]
    process.key = NEXT
    assert process.run().view.phase is RunPhase.PASSED
    assert process.namespace.names("ConfigMap") == ["data"]


def test_refused_create() -> None:
    """A create that the API server refuses for good fails the test with its reason."""
    for each in (ONE, DATA):
        process = session(each)
        name = object_name(each, KEY)
        fault = PodFault(reason="QuotaExceeded", message="exceeded quota: pods")
        process.plan()
        process.memory = process.memory.with_refusal(each.kind, name, fault)
        failed = process.plan()
        assert (failed.view.phase, failed.view.reason) == (RunPhase.FAILED, "QuotaExceeded")
        assert failed.effect is None
        assert "exceeded quota" in failed.view.log_tail


# -- the end ------------------------------------------------------------------------------------


def test_cleanup() -> None:
    """One selector finds all test objects of a canary."""
    assert runs.cleanup_selector(UID) == f"{OWNER_LABEL}={UID},{RUN_LABEL}"


def test_attempt_is_told() -> None:
    """Each result says which attempt it belongs to."""
    process = session(ONE)
    process.attempt = 3
    assert process.run().view.results[0].attempt == 3
