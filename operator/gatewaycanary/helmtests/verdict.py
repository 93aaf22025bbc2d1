"""What one test object says: still running, passed, failed, or no verdict at all.

A test that was disturbed from outside has said nothing about the canary, so it is run again. It is
disturbed when its pod was deleted, evicted, preempted or lost with its node *before* it ended: a
container that is told to stop often ends with 0, and must not count as passed.

A Job's verdict is the Job controller's. Its failure is no verdict where none of its pods failed by
itself; as pods and Jobs are told by separate watches, that is believed only after a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.pods import (
    CRASH_LOOP_RESTARTS,
    condition,
    container_statuses,
    instant,
    is_deleting,
    look_again_at,
    pod_fault,
    terminations,
)
from gatewaycanary.core.writes import Object

TIMEOUT: Final = "TestTimeout"
FAILED: Final = "TestFailed"
INTERRUPTED: Final = "TestInterrupted"
DEADLINE: Final = "DeadlineExceeded"
WATCH_LAG: Final = timedelta(seconds=2)
LOST_AFTER: Final = timedelta(seconds=30)
"""How long past its grace a pod may still be terminating before its node must be lost."""

_DISTURBED: Final = frozenset(
    {
        "Evicted",
        "NodeAffinity",
        "NodeLost",
        "NodeShutdown",
        "Preempting",
        "Shutdown",
        "Terminated",
        "UnexpectedAdmissionError",
    }
)
_REJECTED: Final = "OutOf"
"""How reasons begin when a node has no room left for a pod that was bound to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one test stands. ``seconds``: from its first container's start to the last one's end.

    ``look_again_at``: when this may differ though nothing changed.
    """

    verdict: Verdict
    reason: str = ""
    message: str = ""
    seconds: float = 0.0
    look_again_at: datetime | None = None


def judge_pod(
    pod: Object, now: datetime, *, crash_loop_restarts: int = CRASH_LOOP_RESTARTS
) -> Standing:
    """Judge a test pod that exists."""
    disturbance = _disturbance(pod)
    if disturbance:
        return _interrupted(disturbance)
    status = pod.get("status") or {}
    seconds = _seconds((pod,))
    match status.get("phase"):
        case "Succeeded":
            return Standing(verdict=Verdict.PASSED, seconds=seconds)
        case "Failed":
            reason = TIMEOUT if status.get("reason") == DEADLINE else FAILED
            return Standing(
                verdict=Verdict.FAILED, reason=reason, message=_why(pod), seconds=seconds
            )
    fault = pod_fault(pod, now, crash_loop_restarts=crash_loop_restarts)
    if fault is not None:
        return Standing(verdict=Verdict.FAILED, reason=fault.reason, message=fault.message)
    again = look_again_at(pod, now, crash_loop_restarts=crash_loop_restarts)
    return Standing(verdict=Verdict.RUNNING, look_again_at=again)


def judge_job(
    job: Object,
    pods: Iterable[Object],
    now: datetime,
    *,
    crash_loop_restarts: int = CRASH_LOOP_RESTARTS,
) -> Standing:
    """Judge a test Job that exists by its conditions and its pods."""
    pods = tuple(pods)
    failed = condition(job, "Failed")
    if failed is not None:
        return _failed_job(failed, pods, now)
    if condition(job, "Complete") is not None:
        return _complete_job(pods)
    if is_deleting(job):
        return _interrupted("the Job was deleted")
    standings = [judge_pod(pod, now, crash_loop_restarts=crash_loop_restarts) for pod in pods]
    for pod, standing in zip(pods, standings, strict=True):
        # A pod that ended is the Job's to judge: it may be tried again.
        if standing.verdict is Verdict.FAILED and not has_ended(pod):
            return standing
    again = min((s.look_again_at for s in standings if s.look_again_at), default=None)
    return Standing(verdict=Verdict.RUNNING, look_again_at=again)


def has_ended(obj: Object) -> bool:
    """Tell whether a Pod or Job has run to its end."""
    phase = (obj.get("status") or {}).get("phase")
    ended = condition(obj, "Failed") is not None or condition(obj, "Complete") is not None
    return ended or phase in ("Succeeded", "Failed")


def lost_at(obj: Object) -> datetime | None:
    """Give the moment from which a pod that was deleted but is still there counts as lost."""
    deleted = instant((obj.get("metadata") or {}).get("deletionTimestamp"))
    return None if deleted is None else deleted + LOST_AFTER


def _failed_job(failed: Object, pods: tuple[Object, ...], now: datetime) -> Standing:
    message = f"Job failed: {failed.get('message') or failed.get('reason') or 'no reason given'}"
    if failed.get("reason") == DEADLINE:
        return Standing(
            verdict=Verdict.FAILED, reason=TIMEOUT, message=message, seconds=_seconds(pods)
        )
    culprit = next((pod for pod in pods if _failed_by_itself(pod)), None)
    if culprit is not None:
        why = f"{message}; {_why(culprit)}"
        return Standing(verdict=Verdict.FAILED, reason=FAILED, message=why, seconds=_seconds(pods))
    told = instant(failed.get("lastTransitionTime")) or now
    if now < told + WATCH_LAG:
        return Standing(verdict=Verdict.RUNNING, look_again_at=told + WATCH_LAG)
    disturbances = (_disturbance(pod) for pod in pods)
    why = next((text for text in disturbances if text), "its pods are gone")
    return _interrupted(why)


def _complete_job(pods: tuple[Object, ...]) -> Standing:
    """Judge a complete Job; a pod that was stopped and ended with 0 is no success."""
    succeeded = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Succeeded"]
    disturbances = [_disturbance(pod) for pod in succeeded]
    if succeeded and all(disturbances):
        return _interrupted(disturbances[0])
    return Standing(verdict=Verdict.PASSED, seconds=_seconds(pods))


def _interrupted(message: str) -> Standing:
    return Standing(verdict=Verdict.INTERRUPTED, reason=INTERRUPTED, message=message)


def _failed_by_itself(pod: Object) -> bool:
    if _disturbance(pod):
        return False
    phase = (pod.get("status") or {}).get("phase")
    return phase == "Failed" or any(ended.get("exitCode") for _, ended in terminations(pod))


def _disturbance(pod: Object) -> str:
    """Say what kept the pod from giving a verdict; empty where nothing did."""
    status = pod.get("status") or {}
    reason = str(status.get("reason") or "")
    if status.get("phase") != "Succeeded" and (
        reason in _DISTURBED or reason.startswith(_REJECTED)
    ):
        return _said(reason, status.get("message"))
    target = condition(pod, "DisruptionTarget")
    if target is not None and _ended_not_before(pod, instant(target.get("lastTransitionTime"))):
        return _said(str(target.get("reason") or "DisruptionTarget"), target.get("message"))
    if is_deleting(pod) and _ended_not_before(pod, _deleted_at(pod)):
        return "the pod was deleted"
    return ""


def _ended_not_before(pod: Object, moment: datetime | None) -> bool:
    """Tell whether the pod still ran at that moment; times are whole seconds."""
    ends = [instant(ended.get("finishedAt")) for _, ended in terminations(pod)]
    known = [end for end in ends if end is not None]
    if not has_ended(pod) or moment is None or not known:
        return True
    return max(known) >= moment


def _deleted_at(pod: Object) -> datetime | None:
    """Give the moment at which the deletion was asked for: the mark holds the end of the grace."""
    metadata = pod["metadata"]
    marked = instant(metadata["deletionTimestamp"])
    grace = timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
    return None if marked is None else marked - grace


def _why(pod: Object) -> str:
    status = pod.get("status") or {}
    if status.get("reason") == DEADLINE:
        return _said(DEADLINE, status.get("message"))
    for name, ended in terminations(pod):
        if ended.get("exitCode"):
            reason = ended.get("reason")
            told = f" ({reason})" if reason and reason != "Error" else ""
            return f"container {name} exited with {ended['exitCode']}{told}"
    return _said(str(status.get("reason") or "PodFailed"), status.get("message"))


def _said(reason: str, message: object) -> str:
    return f"{reason}: {message}" if message else reason


def _seconds(pods: Iterable[Object]) -> float:
    starts: list[datetime] = []
    ends: list[datetime] = []
    for pod in pods:
        for start, end in _spans(pod):
            starts.append(start)
            ends.append(end)
    return (max(ends) - min(starts)).total_seconds() if starts else 0.0


def _spans(pod: Object) -> Iterator[tuple[datetime, datetime]]:
    for container in container_statuses(pod):
        for when in ("state", "lastState"):
            ended = (container.get(when) or {}).get("terminated") or {}
            start, end = instant(ended.get("startedAt")), instant(ended.get("finishedAt"))
            if start is not None and end is not None:
                yield start, end
