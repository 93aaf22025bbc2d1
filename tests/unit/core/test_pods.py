"""Pod failures are recognised when they are certain, and not before."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.core import pods
from unit.helmtests.objects import Json, at, condition, ended, pod, running, waiting

NOT_FOUND = 'failed to resolve reference "docker.io/library/nothing:1": not found'
UNAUTHORIZED = "pull access denied, repository does not exist or may require authorization"
UNREACHABLE = "dial tcp: lookup registry.example on 10.0.0.10:53: no such host"
NO_RIGHT = 'User "x" cannot create resource "pods" in API group "" in the namespace "shop"'
"""What an authoriser says; of everybody, for a moment after the API server's start."""


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (waiting("InvalidImageName", "couldn't parse image name"), "InvalidImageName"),
        (waiting("ErrImageNeverPull"), "ErrImageNeverPull"),
        (waiting("ErrImagePull", NOT_FOUND), "ErrImagePull"),
        (waiting("ImagePullBackOff", f"Back-off pulling image: {NOT_FOUND}"), "ImagePullBackOff"),
        (waiting("ErrImagePull", UNAUTHORIZED), "ErrImagePull"),
        (waiting("ErrImagePull", "401 Unauthorized"), "ErrImagePull"),
        (waiting("ErrImagePull", "manifest unknown"), "ErrImagePull"),
        (waiting("CrashLoopBackOff", restarts=3), "CrashLoopBackOff"),
    ],
)
def test_certain_at_once(container: Json, reason: str) -> None:
    """What no waiting mends is a fault at the very first moment, whatever the clocks say."""
    broken = pod("Pending", containers=[container])
    fault = pods.pod_fault(broken, at(-5))
    assert fault is not None
    assert fault.reason == reason
    assert "container test" in fault.message
    assert pods.look_again_at(broken, at(-5)) is None


@pytest.mark.parametrize(
    ("container", "grace"),
    [
        (waiting("ErrImagePull", UNREACHABLE), 60),
        (waiting("ImagePullBackOff", f"Back-off pulling image: {UNREACHABLE}"), 60),
        (waiting("CreateContainerConfigError", 'configmap "settings" not found'), 30),
        (waiting("CreateContainerError", "context deadline exceeded"), 30),
        (waiting("RunContainerError", "no such file"), 30),
    ],
)
def test_grace(container: Json, grace: int) -> None:
    """What may mend itself is a fault only after its grace, and says when to look again."""
    broken = pod("Pending", containers=[container])
    assert pods.pod_fault(broken, at(grace - 1)) is None
    assert pods.look_again_at(broken, at(grace - 1)) == at(grace)
    fault = pods.pod_fault(broken, at(grace))
    assert fault is not None
    assert fault.reason == container["state"]["waiting"]["reason"]
    assert pods.look_again_at(broken, at(grace)) is None


def test_grace_starts_with_the_last_container_that_ended() -> None:
    """A grace is not eaten up by what an init container took, or by the run before."""
    broken = pod(
        "Pending",
        init=[ended("setup", end=100)],
        containers=[waiting("CreateContainerConfigError")],
    )
    assert pods.pod_fault(broken, at(129)) is None
    assert pods.pod_fault(broken, at(130)) is not None
    again = pod(containers=[waiting("ErrImagePull", UNREACHABLE, restarts=1, last=500)])
    assert pods.look_again_at(again, at(501)) == at(560)


@pytest.mark.parametrize(
    "healthy",
    [
        pod(containers=[running()]),
        pod("Pending", containers=[waiting("ContainerCreating")]),
        pod("Pending", containers=[waiting("PodInitializing")], init=[running("setup")]),
        pod("Succeeded", containers=[ended()]),
        pod(containers=[waiting("CrashLoopBackOff", restarts=2)]),
        {"metadata": {"name": "new"}},
    ],
)
def test_no_fault(healthy: Json) -> None:
    """A pod that is on its way, runs, or has crashed less often than allowed has no fault."""
    assert pods.pod_fault(healthy, at(100_000)) is None
    assert pods.look_again_at(healthy, at(0)) is None


def test_a_pod_on_its_way_out_has_no_fault() -> None:
    """A pod whose deletion was asked for is judged no more."""
    leaving = pod("Pending", containers=[waiting("InvalidImageName")], deleted=5)
    assert pods.pod_fault(leaving, at(100)) is None


def test_init_containers_count() -> None:
    """An init container's image is as fatal as any, and is named."""
    broken = pod("Pending", init=[waiting("ErrImagePull", NOT_FOUND, name="setup")])
    fault = pods.pod_fault(broken, at(1))
    assert fault is not None
    assert "setup" in fault.message


def test_crash_loop_says_how_it_ended() -> None:
    """The message holds the number of restarts and the last exit code."""
    fault = pods.pod_fault(pod(containers=[waiting("CrashLoopBackOff", restarts=4)]), at(0))
    assert fault is not None
    assert "4 restarts" in fault.message
    assert "exit 1" in fault.message


def test_allowed_restarts_can_be_raised() -> None:
    """A Job's author may ask for more restarts than three."""
    crashing = pod(containers=[waiting("CrashLoopBackOff", restarts=5)])
    assert pods.pod_fault(crashing, at(0), crash_loop_restarts=6) is None


def test_messages_are_cut() -> None:
    """A registry's endless message does not fill the status."""
    fault = pods.pod_fault(pod(containers=[waiting("InvalidImageName", "x" * 9000)]), at(0))
    assert fault is not None
    assert len(fault.message) <= 1024


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('pods "g-1" is forbidden: exceeded quota: pods, requested: pods=1', "QuotaExceeded"),
        (
            'pods "g" is forbidden: violates PodSecurity "restricted:latest": privileged',
            "PodSecurityViolation",
        ),
        ("admission webhook denied: forbidden", "FailedCreate"),
        ("Internal error occurred: failed calling webhook: timeout", None),
        (f'pods "g-1" is forbidden: {NO_RIGHT}', None),
    ],
)
def test_workload_fault(message: str, reason: str | None) -> None:
    """A Deployment whose pods are refused for good has a fault; one that is unlucky has none."""
    failed = condition("ReplicaFailure", reason="FailedCreate", message=message)
    fault = pods.workload_fault({"status": {"conditions": [failed]}})
    assert (fault.reason if fault else None) == reason


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [condition("ReplicaFailure", status="False", reason="FailedCreate", message="forbidden")],
        [condition("ReplicaFailure", reason="FailedDelete", message="forbidden")],
    ],
)
def test_workload_without_fault(conditions: list[Json]) -> None:
    """Only a ReplicaFailure that is true and about creation counts."""
    assert pods.workload_fault({"status": {"conditions": conditions}}) is None
    assert pods.workload_fault({}) is None


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (403, 'pods "t" is forbidden: exceeded quota: q', "QuotaExceeded"),
        (403, 'violates PodSecurity "baseline"', "PodSecurityViolation"),
        (422, "Pod is invalid: spec.containers: Required value", "FailedCreate"),
        (400, "strict decoding error", "FailedCreate"),
        (403, f"pods is forbidden: {NO_RIGHT}", None),
        (409, "already exists", None),
        (429, "too many requests", None),
        (500, "internal error: forbidden", None),
        (503, "etcd is away", None),
    ],
)
def test_refusal(code: int, message: str, reason: str | None) -> None:
    """A create is refused for good by what it asks for, not by the server's condition."""
    fault = pods.refusal(code=code, message=message)
    assert (fault.reason if fault else None) == reason


def test_newly_ready_at() -> None:
    """The latest readiness counts; pods that are not ready, or leaving, do not."""
    ready = [
        pod(name="a", conditions=[condition("Ready", seconds=10)]),
        pod(name="b", conditions=[condition("Ready", seconds=20)]),
        pod(name="c", conditions=[condition("Ready", status="False", seconds=30)]),
        pod(name="d", conditions=[condition("Ready", seconds=40)], deleted=50),
    ]
    assert pods.newly_ready_at(ready) == at(20)
    assert pods.newly_ready_at(ready[2:]) is None


@settings(deadline=None, max_examples=60)
@given(
    reason=st.sampled_from(
        ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError", "CrashLoopBackOff", "X"]
    ),
    message=st.sampled_from(["", NOT_FOUND, UNREACHABLE]),
    restarts=st.integers(0, 6),
    seconds=st.integers(-10, 200),
)
def test_look_again_is_when_the_answer_changes(
    reason: str, message: str, restarts: int, seconds: int
) -> None:
    """Between now and the announced moment nothing changes by itself; at that moment it does."""
    broken = pod(containers=[waiting(reason, message, restarts=restarts)])
    now = at(seconds)
    again = pods.look_again_at(broken, now)
    before = pods.pod_fault(broken, now)
    if again is None:
        assert pods.pod_fault(broken, at(100_000)) == before
    else:
        assert again > now
        assert before is None
        assert pods.pod_fault(broken, again) is not None
