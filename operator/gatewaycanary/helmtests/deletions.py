"""What is deleted, when, and in which order.

Deletions by policy are Helm's: after all hooks, ``hook-succeeded`` in reverse; after a failure
``hook-failed`` of the failed one, then ``hook-succeeded`` of those before it. Of a run that is over
only its objects are left to tell how they ended, and each goes by its own policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import RUN_LABEL, TEST_LABEL
from gatewaycanary.core.pods import condition, is_deleting
from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests import verdict
from gatewaycanary.helmtests.memory import Found
from gatewaycanary.helmtests.ownership import Owner, owner
from gatewaycanary.helmtests.release import ON_FAILURE, ON_SUCCESS, TEST_KINDS, Hook
from gatewaycanary.helmtests.render import label_value, object_name
from gatewaycanary.helmtests.steps import Effect, Run, Step, delete, judge, labels_of, stop

_API_VERSIONS: Final = {"Job": "batch/v1", "Pod": "v1"}


def earlier_runs(run: Run) -> Step | None:
    """Let no test of an earlier run go on, and give up what its policy gives up."""
    waits: list[datetime] = []
    for kind, obj in _of_earlier_runs(run):
        if verdict.has_ended(obj):
            continue
        lost_at = verdict.lost_at(obj)
        if lost_at is None:
            return delete(run, kind, _API_VERSIONS[kind], obj["metadata"])
        if run.now < lost_at:
            waits.append(lost_at)
    if waits:
        message = "waiting for the test pods of an earlier run to end"
        return stop(Verdict.RUNNING, message=message, look_again_at=max(waits))
    return next(_given_up(run), None)


def _of_earlier_runs(run: Run) -> Iterator[tuple[str, Object]]:
    """Iterate over the test objects of other runs, Jobs before pods, in a steady order."""
    for kind, name in sorted(run.objects):
        obj = run.objects[kind, name]
        label = labels_of(obj).get(RUN_LABEL)
        if kind in TEST_KINDS and label and label != run.key.label:
            yield kind, obj


def _given_up(run: Run) -> Iterator[Step]:
    """Iterate over the deletions that are due of earlier runs, the last hook first."""
    for hook in reversed(run.suite.hooks):
        for metadata in _leftovers(run, hook):
            yield delete(run, hook.kind, hook.api_version, metadata)


def _leftovers(run: Run, hook: Hook) -> Iterator[Mapping[str, Any]]:
    if hook.is_test:
        for kind, obj in _of_earlier_runs(run):
            of_hook = kind == hook.kind and labels_of(obj).get(TEST_LABEL) == label_value(hook.name)
            policy = ON_SUCCESS if _passed(obj) else ON_FAILURE
            if of_hook and policy in hook.delete_policies and not is_deleting(obj):
                yield obj["metadata"]
    elif ON_SUCCESS in hook.delete_policies:
        found = run.memory.found.get((hook.kind, hook.name))
        if (
            found is not None
            and not found.deleting
            and _whose(run, hook, found) is Owner.EARLIER_RUN
        ):
            yield found.metadata


def _passed(obj: Object) -> bool:
    succeeded = (obj.get("status") or {}).get("phase") == "Succeeded"
    return succeeded or condition(obj, "Complete") is not None


def _whose(run: Run, hook: Hook, found: Found) -> Owner:
    return owner(found, hook, key=run.key, release=run.suite.release)


def by_policy(run: Run, recorded: Verdict) -> Effect | None:
    """Give the next deletion that the policies ask for after this verdict."""
    for hook, policy in _policies(run, recorded):
        metadata = _existing(run, hook) if policy in hook.delete_policies else None
        if metadata is not None:
            return delete(run, hook.kind, hook.api_version, metadata).effect
    return None


def _policies(run: Run, recorded: Verdict) -> Iterator[tuple[Hook, str]]:
    """Iterate over the hooks in the order in which Helm deletes them, each with its cause."""
    if recorded is Verdict.PASSED:
        yield from ((hook, ON_SUCCESS) for hook in reversed(run.suite.hooks))
    elif recorded is Verdict.FAILED:
        failed = next((hook for hook in run.suite.hooks if _has_failed(run, hook)), None)
        if failed is not None:
            yield failed, ON_FAILURE
        for hook in run.suite.hooks:
            if hook == failed:
                return
            yield hook, ON_SUCCESS


def _has_failed(run: Run, hook: Hook) -> bool:
    obj = run.objects.get((hook.kind, object_name(hook, run.key)))
    return (
        hook.is_test
        and obj is not None
        and judge(run, hook, obj).standing.verdict is not Verdict.PASSED
    )


def _existing(run: Run, hook: Hook) -> Mapping[str, Any] | None:
    """Find what this run made or used of a hook, unless it is on its way out."""
    if hook.is_test:
        obj = run.objects.get((hook.kind, object_name(hook, run.key)))
        return None if obj is None or is_deleting(obj) else obj["metadata"]
    found = run.memory.found.get((hook.kind, hook.name))
    if found is None or found.deleting:
        return None
    kept = (Owner.FOREIGN, Owner.OTHER_CANARY)
    return None if _whose(run, hook, found) in kept else found.metadata
