"""A test's objects give a verdict when there is one, and none where the test was disturbed."""

from __future__ import annotations

import pytest

from gatewaycanary.api.status import Verdict
from gatewaycanary.helmtests import verdict
from unit.helmtests.objects import Json, at, condition, ended, job, pod, running, waiting

FAILED_JOB = condition("Failed", reason="BackoffLimitExceeded", message="too many", seconds=5)
EVICTED = pod("Failed", name="evicted", reason="Evicted", message="node was low on memory")


def test_passed() -> None:
    """A pod that succeeded has passed, and tells how long its containers took."""
    standing = verdict.judge_pod(pod("Succeeded", containers=[ended(begin=2, end=9)]), at(10))
    assert (standing.verdict, standing.seconds) == (Verdict.PASSED, 7.0)


def test_duration_spans_all_containers() -> None:
    """The time runs from the first container's start to the last one's end."""
    done = pod(
        "Succeeded",
        init=[ended("setup", begin=1, end=4)],
        containers=[ended("a", begin=5, end=8), ended("b", begin=5, end=6)],
    )
    assert verdict.judge_pod(done, at(10)).seconds == 7.0


def test_failed() -> None:
    """A pod whose container exits with an error has failed, and says which and how."""
    broken = pod("Failed", containers=[ended("side"), ended("smoke", code=3)])
    standing = verdict.judge_pod(broken, at(10))
    assert (standing.verdict, standing.reason) == (Verdict.FAILED, "TestFailed")
    assert standing.message == "container smoke exited with 3"


def test_out_of_memory_is_told() -> None:
    """The reason of an exit is told where it says more than that there was one."""
    killed = ended("smoke", code=137)
    killed["state"]["terminated"]["reason"] = "OOMKilled"
    standing = verdict.judge_pod(pod("Failed", containers=[killed]), at(10))
    assert standing.message == "container smoke exited with 137 (OOMKilled)"


def test_deadline() -> None:
    """A pod that was stopped at its deadline has failed by time-out, not by its exit code."""
    late = pod(
        "Failed",
        containers=[ended(code=137)],
        reason="DeadlineExceeded",
        message="Pod was active longer than the specified deadline",
    )
    standing = verdict.judge_pod(late, at(400))
    assert (standing.verdict, standing.reason) == (Verdict.FAILED, "TestTimeout")
    assert "longer than" in standing.message


@pytest.mark.parametrize(
    "under_way",
    [
        pod("Pending"),
        pod(containers=[running()]),
        pod("Unknown"),
        {"metadata": {"name": "new", "uid": "1"}},
    ],
)
def test_running(under_way: Json) -> None:
    """A pod that waits or runs has no verdict yet."""
    assert verdict.judge_pod(under_way, at(100)).verdict is Verdict.RUNNING


def test_fault() -> None:
    """A pod that will never start has failed, with the fault's own reason, at its moment."""
    stuck = pod("Pending", containers=[waiting("CreateContainerConfigError", "no configmap")])
    soon = verdict.judge_pod(stuck, at(10))
    assert (soon.verdict, soon.look_again_at) == (Verdict.RUNNING, at(30))
    late = verdict.judge_pod(stuck, at(30))
    assert (late.verdict, late.reason) == (Verdict.FAILED, "CreateContainerConfigError")


DISTURBED = [
    EVICTED,
    pod("Failed", reason="NodeLost"),
    pod("Running", reason="NodeLost", containers=[running()]),
    pod("Failed", reason="Terminated", message="Pod was terminated in response to node shutdown"),
    pod("Failed", reason="NodeShutdown"),
    pod("Failed", reason="Preempting"),
    pod("Failed", reason="OutOfcpu"),
    pod("Failed", reason="OutOfmemory"),
    pod("Failed", reason="UnexpectedAdmissionError"),
    pod("Failed", reason="NodeAffinity"),
    pod(containers=[running()], deleted=5),
    pod("Pending", deleted=5),
    pod("Failed", containers=[ended(code=143, end=6)], deleted=5),
    pod("Succeeded", containers=[ended(end=6)], deleted=5),
    pod("Succeeded", containers=[ended(end=5)], deleted=5),
    pod(
        containers=[running()],
        conditions=[condition("DisruptionTarget", reason="PreemptionByScheduler")],
    ),
    pod(
        "Failed",
        containers=[ended(code=137, end=9)],
        conditions=[condition("DisruptionTarget", seconds=7, reason="EvictionByEvictionAPI")],
    ),
]


@pytest.mark.parametrize("disturbed", DISTURBED)
def test_interrupted(disturbed: Json) -> None:
    """A test that was disturbed before its end says nothing, not even by an exit with 0."""
    standing = verdict.judge_pod(disturbed, at(10))
    assert (standing.verdict, standing.reason) == (Verdict.INTERRUPTED, "TestInterrupted")
    assert standing.message


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (pod("Succeeded", containers=[ended(end=3)], deleted=5), Verdict.PASSED),
        (pod("Failed", containers=[ended(code=1, end=3)], deleted=5), Verdict.FAILED),
        (
            pod(
                "Succeeded",
                containers=[ended(end=3)],
                conditions=[condition("DisruptionTarget", seconds=7)],
            ),
            Verdict.PASSED,
        ),
        (
            pod(containers=[running()], conditions=[condition("DisruptionTarget", status="False")]),
            Verdict.RUNNING,
        ),
    ],
)
def test_disturbed_too_late(late: Json, expected: Verdict) -> None:
    """What happens to a pod after its test has ended does not change the verdict."""
    assert verdict.judge_pod(late, at(10)).verdict is expected


def test_job_passed() -> None:
    """A complete Job has passed, though an attempt of it failed."""
    pods = [
        pod("Failed", name="a", containers=[ended(code=1, begin=1, end=2)]),
        pod("Succeeded", name="b", containers=[ended(begin=4, end=6)]),
    ]
    standing = verdict.judge_job(job(conditions=[condition("Complete")]), pods, at(10))
    assert (standing.verdict, standing.seconds) == (Verdict.PASSED, 5.0)
    alone = verdict.judge_job(job(conditions=[condition("Complete")]), [], at(10))
    assert alone.verdict is Verdict.PASSED


def test_job_completed_by_a_stopped_pod() -> None:
    """A Job that counts a stopped pod's exit with 0 as success has said nothing."""
    stopped = pod("Succeeded", containers=[ended(end=6)], deleted=5)
    standing = verdict.judge_job(job(conditions=[condition("Complete")]), [stopped], at(10))
    assert standing.verdict is Verdict.INTERRUPTED


def test_job_failed() -> None:
    """A failed Job tells its own reason and the exit of the pod that failed."""
    broken = pod("Failed", containers=[ended("smoke", code=4)])
    standing = verdict.judge_job(job(conditions=[FAILED_JOB]), [EVICTED, broken], at(10))
    assert (standing.verdict, standing.reason) == (Verdict.FAILED, "TestFailed")
    assert standing.message == "Job failed: too many; container smoke exited with 4"


def test_job_out_of_time() -> None:
    """A Job that was stopped at its deadline has failed by time-out, pods or none."""
    late = condition("Failed", reason="DeadlineExceeded", message="Job was active too long")
    standing = verdict.judge_job(job(conditions=[late]), [], at(10))
    assert (standing.verdict, standing.reason) == (Verdict.FAILED, "TestTimeout")


@pytest.mark.parametrize(
    ("pods", "said"), [([], "its pods are gone"), ([EVICTED], "node was low on memory")]
)
def test_job_whose_pods_were_disturbed(pods: list[Json], said: str) -> None:
    """A Job none of whose pods failed by itself has no verdict, once the watches agree."""
    failed = job(conditions=[FAILED_JOB])
    early = verdict.judge_job(failed, pods, at(6))
    assert (early.verdict, early.look_again_at) == (Verdict.RUNNING, at(7))
    late = verdict.judge_job(failed, pods, at(7))
    assert late.verdict is Verdict.INTERRUPTED
    assert said in late.message


def test_job_whose_pod_restarts_in_place() -> None:
    """A pod that crashed in place is a failure of its own, though its phase never says so."""
    crashed = pod(containers=[ended("smoke", code=5)])
    standing = verdict.judge_job(job(conditions=[FAILED_JOB]), [crashed], at(10))
    assert standing.verdict is Verdict.FAILED


def test_job_under_way() -> None:
    """A Job that may still try again has no verdict, whatever its first pod said."""
    first = pod("Failed", name="a", containers=[ended(code=1)])
    second = pod(name="b", containers=[running()])
    assert verdict.judge_job(job(), [first, second], at(10)).verdict is Verdict.RUNNING
    assert verdict.judge_job(job(), [], at(10)).verdict is Verdict.RUNNING


def test_job_whose_pod_cannot_start() -> None:
    """A Job's pod that will never start fails the test at once, before the Job notices."""
    stuck = pod("Pending", containers=[waiting("ErrImageNeverPull")])
    standing = verdict.judge_job(job(), [stuck], at(10))
    assert (standing.verdict, standing.reason) == (Verdict.FAILED, "ErrImageNeverPull")
    waits = pod("Pending", containers=[waiting("CreateContainerConfigError")])
    assert verdict.judge_job(job(), [waits], at(10)).look_again_at == at(30)


def test_job_deleted() -> None:
    """A Job that somebody deletes before its end has no verdict."""
    leaving = job()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    assert verdict.judge_job(leaving, [], at(10)).verdict is Verdict.INTERRUPTED


def test_lost_at() -> None:
    """A pod that is told to go and stays half a minute past its grace is lost with its node."""
    assert verdict.lost_at(pod(deleted=5)) == at(65)
    assert verdict.lost_at(pod()) is None
