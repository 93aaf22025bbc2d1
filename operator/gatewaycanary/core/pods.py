"""Pod failures that waiting does not mend, as canary pods and test pods show them.

Kubernetes tries for ever; a rollout must not. What is certain is a fault at once: a malformed or
unknown image name, a registry that refuses us, a quota, a Pod-Security refusal, a third crash.
What may still mend itself gets a grace: a registry out of reach, a ConfigMap about to be created.

NB: a container's waiting state carries no time. A grace is counted from the latest moment at which
the pod is known to have had something else to do: its acceptance by the node, or the end of the
container that ran last. A very slow pull that then fails is therefore a fault at its first error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gatewaycanary.core.observation import PodFault
from gatewaycanary.core.writes import Object

CRASH_LOOP_RESTARTS: Final = 3
PULL_GRACE: Final = timedelta(seconds=60)
CONFIG_GRACE: Final = timedelta(seconds=30)
AT_ONCE: Final = timedelta(0)

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_NAMELESS: Final = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_PULLS: Final = frozenset({"ImagePullBackOff", "ErrImagePull", "RegistryUnavailable"})
_CONFIGS: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
_REFUSED_IMAGE: Final = re.compile(
    r"\b(not found|manifest unknown|unauthorized|authorization failed|authentication required|"
    r"pull access denied|access to the resource is denied)\b",
    re.IGNORECASE,
)
_REFUSED_CREATE: Final = frozenset({400, 403, 413, 422})
_NO_RIGHT: Final = re.compile(r'\bUser "[^"]*" cannot \S+ resource "')
_MESSAGE_LENGTH: Final = 1024


def instant(text: object) -> datetime | None:
    """Read a Kubernetes timestamp; None where there is none."""
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def pod_fault(
    pod: Object, now: datetime, *, crash_loop_restarts: int = CRASH_LOOP_RESTARTS
) -> PodFault | None:
    """Recognise a pod that will not start however long one waits."""
    for fault, since in _faults(pod, crash_loop_restarts):
        if now >= since:
            return fault
    return None


def look_again_at(
    pod: Object, now: datetime, *, crash_loop_restarts: int = CRASH_LOOP_RESTARTS
) -> datetime | None:
    """Give the next moment at which ``pod_fault`` may differ though nothing changed."""
    return min(
        (since for _, since in _faults(pod, crash_loop_restarts) if since > now), default=None
    )


def newly_ready_at(pods: Iterable[Object]) -> datetime | None:
    """Give the moment at which the latest of the ready pods became ready."""
    moments = (_ready_since(pod) for pod in pods if not is_deleting(pod))
    return max((moment for moment in moments if moment is not None), default=None)


def workload_fault(deployment: Object) -> PodFault | None:
    """Recognise a Deployment whose pods are refused: by quota, Pod Security or admission.

    A controller that has no right to create them is no fault of theirs.
    """
    failure = condition(deployment, "ReplicaFailure")
    if failure is None or failure.get("reason") != "FailedCreate":
        return None
    message = str(failure.get("message", ""))
    return _refused(message) if _is_refusal(message) else None


def refusal(*, code: int, message: str) -> PodFault | None:
    """Recognise an API error at creation that a repetition does not mend.

    NB: a right that is missing says nothing of what was to be created, and may only seem to be
    missing: an API server that has just started refuses everybody until it has read the roles.
    """
    if code not in _REFUSED_CREATE or _NO_RIGHT.search(message):
        return None
    return _refused(message)


def container_statuses(pod: Object) -> Iterator[Mapping[str, Any]]:
    """Iterate over the statuses of all containers, init containers first."""
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def terminations(pod: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Iterate over the containers that have ended for now: name and terminated state."""
    for container in container_statuses(pod):
        ended = (container.get("state") or {}).get("terminated")
        if ended:
            yield str(container.get("name", "")), ended


def condition(obj: Object, kind: str) -> Mapping[str, Any] | None:
    """Return the condition of this type if it is true."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found.get("type") == kind and found.get("status") == "True":
            return dict(found)
    return None


def is_deleting(obj: Object) -> bool:
    """Tell whether the object's deletion has been asked for."""
    return bool((obj.get("metadata") or {}).get("deletionTimestamp"))


def _faults(pod: Object, crash_loop_restarts: int) -> Iterator[tuple[PodFault, datetime]]:
    """Iterate over the pod's faults, each with the moment from which it counts."""
    if is_deleting(pod):
        return
    busy_until = _busy_until(pod)
    for container in container_statuses(pod):
        waiting = (container.get("state") or {}).get("waiting")
        if not waiting:
            continue
        grace = _grace(waiting, int(container.get("restartCount") or 0), crash_loop_restarts)
        if grace == AT_ONCE:
            yield _fault(container, waiting), _LONG_AGO
        elif grace is not None and busy_until is not None:
            yield _fault(container, waiting), busy_until + grace


def _grace(waiting: Mapping[str, Any], restarts: int, limit: int) -> timedelta | None:
    reason = waiting.get("reason", "")
    if reason in _NAMELESS:
        return AT_ONCE
    if reason in _PULLS:
        refused = _REFUSED_IMAGE.search(str(waiting.get("message", "")))
        return AT_ONCE if refused else PULL_GRACE
    if reason in _CONFIGS:
        return CONFIG_GRACE
    if reason == "CrashLoopBackOff" and restarts >= limit:
        return AT_ONCE
    return None


def _fault(container: Mapping[str, Any], waiting: Mapping[str, Any]) -> PodFault:
    reason = str(waiting["reason"])
    detail = str(waiting.get("message", ""))
    if reason == "CrashLoopBackOff":
        last = (container.get("lastState") or {}).get("terminated") or {}
        detail = f"{container.get('restartCount')} restarts, last exit {last.get('exitCode', '?')}"
        if last.get("reason"):
            detail += f" ({last['reason']})"
    text = f"container {container.get('name', '')}: {reason}"
    return PodFault(reason=reason, message=_cut(f"{text}: {detail}" if detail else text))


def _busy_until(pod: Object) -> datetime | None:
    """Give the latest moment at which the pod is known to have had something else to do."""
    moments = [
        instant((pod.get("metadata") or {}).get("creationTimestamp")),
        instant((pod.get("status") or {}).get("startTime")),
    ]
    for container in container_statuses(pod):
        for state in (container.get("state") or {}, container.get("lastState") or {}):
            moments.append(instant((state.get("terminated") or {}).get("finishedAt")))
    return max((moment for moment in moments if moment is not None), default=None)


def _ready_since(pod: Object) -> datetime | None:
    ready = condition(pod, "Ready")
    return instant(ready.get("lastTransitionTime")) if ready else None


def _is_refusal(message: str) -> bool:
    if _NO_RIGHT.search(message):
        return False
    return any(word in message for word in ("forbidden", "exceeded quota", "violates PodSecurity"))


def _refused(message: str) -> PodFault:
    reason = "FailedCreate"
    if "exceeded quota" in message:
        reason = "QuotaExceeded"
    elif "violates PodSecurity" in message:
        reason = "PodSecurityViolation"
    return PodFault(reason=reason, message=_cut(message))


def _cut(message: str) -> str:
    return message if len(message) <= _MESSAGE_LENGTH else message[: _MESSAGE_LENGTH - 1] + "…"
