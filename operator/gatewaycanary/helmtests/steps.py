"""One hook's step in a run: what stands in the cluster for it, and what it needs done.

A test's object is ours or nobody's: its name belongs to this run. A supporting object may have been
left by an earlier run, by another canary of the same release or by ``helm test``, and its policy
says whether it is replaced. Nothing foreign is touched: the step fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import OWNER_LABEL
from gatewaycanary.core.pods import CRASH_LOOP_RESTARTS
from gatewaycanary.core.selectors import Labels
from gatewaycanary.core.writes import Create, Delete, Object
from gatewaycanary.helmtests import verdict
from gatewaycanary.helmtests.memory import Found, ObjectKey, RunMemory
from gatewaycanary.helmtests.ownership import Owner, owner
from gatewaycanary.helmtests.release import BEFORE_CREATION, ON_SUCCESS, Hook
from gatewaycanary.helmtests.render import Aim, RunKey, object_name, render

Effect = Create | Delete

CONFLICT: Final = "TestObjectConflict"
DELETION_RETRY: Final = timedelta(seconds=1)

_PASSED: Final = verdict.Standing(verdict=Verdict.PASSED)
_RUNNING: Final = verdict.Standing(verdict=Verdict.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A release's selected hooks in order, and where they are aimed."""

    release: str
    hooks: tuple[Hook, ...]
    aim: Aim


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run with all that is known of it."""

    suite: Suite
    key: RunKey
    attempt: int
    objects: Mapping[ObjectKey, Object]
    selectors: Sequence[Labels | None]
    memory: RunMemory
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where one hook stands, and what it needs done. ``pods``: whose logs may tell why."""

    standing: verdict.Standing
    effect: Effect | None = None
    pods: tuple[Object, ...] = ()


def take(run: Run, hook: Hook) -> Step:
    """Find where a hook stands; what is not in place yet is created, or replaced."""
    return _test(run, hook) if hook.is_test else _supporting(run, hook)


def _test(run: Run, hook: Hook) -> Step:
    name = (hook.kind, object_name(hook, run.key))
    obj = run.objects.get(name)
    if obj is not None:
        return judge(run, hook, obj)
    refused = _refused(run, name) or _foreign(run, hook, name)
    if refused is not None:
        return refused
    if name in run.memory.passed:
        return Step(standing=run.memory.passed[name])
    if name in run.memory.seen:
        gone = f"{hook.kind} of {hook.name} is gone"
        return stop(Verdict.INTERRUPTED, reason=verdict.INTERRUPTED, message=gone)
    return _create(run, hook)


def judge(run: Run, hook: Hook, obj: Object) -> Step:
    """Judge a test by its object."""
    restarts = _restarts_allowed(hook)
    if hook.kind == "Pod":
        standing = verdict.judge_pod(obj, run.now, crash_loop_restarts=restarts)
        return Step(standing=standing, pods=(obj,))
    pods = tuple(_pods_of(run, obj))
    standing = verdict.judge_job(obj, pods, run.now, crash_loop_restarts=restarts)
    return Step(standing=standing, pods=tuple(sorted(pods, key=_failed_first)))


def _restarts_allowed(hook: Hook) -> int:
    """Allow a Job the restarts that its author asked for."""
    spec = hook.manifest.get("spec")
    limit = spec.get("backoffLimit") if hook.kind == "Job" and isinstance(spec, dict) else None
    return max(CRASH_LOOP_RESTARTS, limit) if isinstance(limit, int) else CRASH_LOOP_RESTARTS


def _supporting(run: Run, hook: Hook) -> Step:
    name = (hook.kind, hook.name)
    refused = _refused(run, name)
    if refused is not None:
        return refused
    found = run.memory.found.get(name)
    return _create(run, hook) if found is None else _use(run, hook, found)


def _use(run: Run, hook: Hook, found: Found) -> Step:
    whose = owner(found, hook, key=run.key, release=run.suite.release)
    if whose is Owner.FOREIGN:
        return _conflict(hook)
    if found.deleting:
        return _await_deletion(run, hook, found)
    leftover = whose in (Owner.EARLIER_RUN, Owner.RELEASE)
    if leftover and _replaced(hook, found, run.key):
        return delete(run, hook.kind, hook.api_version, found.metadata)
    return Step(standing=_PASSED)


def _replaced(hook: Hook, found: Found, key: RunKey) -> bool:
    """Tell whether what an earlier run left is deleted first; its deletion may be overdue."""
    ours = found.labels.get(OWNER_LABEL) == key.uid
    return BEFORE_CREATION in hook.delete_policies or (ours and ON_SUCCESS in hook.delete_policies)


def _await_deletion(run: Run, hook: Hook, found: Found) -> Step:
    retry_at = found.at + DELETION_RETRY
    if run.now >= retry_at:
        return _create(run, hook)
    return stop(Verdict.RUNNING, look_again_at=retry_at)


def _refused(run: Run, name: ObjectKey) -> Step | None:
    fault = run.memory.refused.get(name)
    if fault is None:
        return None
    return stop(Verdict.FAILED, reason=fault.reason, message=fault.message)


def _foreign(run: Run, hook: Hook, name: ObjectKey) -> Step | None:
    found = run.memory.found.get(name)
    if found is None or found.labels.get(OWNER_LABEL) == run.key.uid:
        return None
    return _conflict(hook)


def _conflict(hook: Hook) -> Step:
    message = f"{hook.kind} {hook.name} exists and belongs neither to us nor to the release's tests"
    return stop(Verdict.FAILED, reason=CONFLICT, message=message)


def stop(
    ends: Verdict, *, reason: str = "", message: str = "", look_again_at: datetime | None = None
) -> Step:
    """End here, with no effect."""
    return Step(
        standing=verdict.Standing(
            verdict=ends, reason=reason, message=message, look_again_at=look_again_at
        )
    )


def _create(run: Run, hook: Hook) -> Step:
    manifest = render(hook, key=run.key, aim=run.suite.aim, selectors=run.selectors)
    return Step(standing=_RUNNING, effect=Create(manifest=manifest))


def delete(run: Run, kind: str, api_version: str, metadata: Mapping[str, Any]) -> Step:
    """Delete an object, and go on when it is gone."""
    effect = Delete(
        api_version=api_version,
        kind=kind,
        namespace=run.key.namespace,
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
    )
    return Step(standing=_RUNNING, effect=effect)


def labels_of(obj: Object) -> Labels:
    """Return an object's labels."""
    labels: Labels = obj["metadata"].get("labels") or {}
    return labels


def _pods_of(run: Run, job: Object) -> Iterator[Object]:
    uid = job["metadata"]["uid"]
    for (kind, _), obj in sorted(run.objects.items()):
        if kind == "Pod" and any(
            reference.get("uid") == uid
            for reference in obj["metadata"].get("ownerReferences") or ()
        ):
            yield obj


def _failed_first(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") != "Failed"
