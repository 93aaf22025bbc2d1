"""The run planner: where a run of a release's tests stands, and its next effect.

A run goes through the hooks in Helm's order, one at a time, and is entirely read from the cluster:
each test object has one name a run, so a repeat, a crash or a second leader finds what was created
and goes on from there. Three rules keep that true:

- Nothing is created while a test of an earlier run is still running: never two runs at once.
- Nothing of a run is deleted before its verdict is in the status (``recorded``); a test that was
  deleted before would be run again. What the policies give up of earlier runs goes first.
- What exists is used only if it is ours or the release's (``ownership``), else the run fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gatewaycanary.api.status import HelmTestResult, Verdict
from gatewaycanary.core.naming import OWNER_LABEL, RUN_LABEL
from gatewaycanary.core.observation import RunPhase, RunView
from gatewaycanary.core.pods import is_deleting
from gatewaycanary.core.selectors import Labels
from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests import deletions, logs, steps, verdict
from gatewaycanary.helmtests.memory import ObjectKey, RunMemory
from gatewaycanary.helmtests.release import TEST_KINDS, Hook
from gatewaycanary.helmtests.render import RunKey, object_name
from gatewaycanary.helmtests.steps import Effect, Run, Step, Suite

_PHASES: Final = {
    Verdict.RUNNING: RunPhase.RUNNING,
    Verdict.PASSED: RunPhase.PASSED,
    Verdict.FAILED: RunPhase.FAILED,
    Verdict.INTERRUPTED: RunPhase.INTERRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known of the run and what is to be done.

    ``log``: which log tells of the test that failed, or still runs; the view's ``log_tail`` says
    why where a test failed and has none.
    """

    view: RunView
    memory: RunMemory
    effect: Effect | None = None
    log: logs.LogSource | None = None


def plan(
    suite: Suite,
    key: RunKey,
    *,
    attempt: int,
    objects: Mapping[ObjectKey, Object],
    selectors: Sequence[Labels | None],
    memory: RunMemory,
    now: datetime,
    recorded: Verdict | None = None,
) -> Plan:
    """Plan the run.

    ``objects``: by kind and name, all cached Pods and Jobs that carry the owner's label, Jobs' pods
    included. ``selectors``: those of every Service in the namespace. ``recorded``: the verdict of
    this run that the status already holds, on failure with the log: deletions wait for it, and
    what they leave to tell is no longer judged.
    """
    memory = memory.of(key.label, uid=key.uid).with_seen(_seen(objects, key))
    run = Run(
        suite=suite,
        key=key,
        attempt=attempt,
        objects=objects,
        selectors=selectors,
        memory=memory,
        now=now,
    )
    if recorded is not None:
        return _settle(run, recorded)
    earlier = deletions.earlier_runs(run)
    if earlier is not None:
        return _answer(run, earlier, results=())
    return _go_on(run)


def cleanup_selector(uid: str) -> str:
    """Select all test objects of a canary, for one deletecollection a kind at the end."""
    return f"{OWNER_LABEL}={uid},{RUN_LABEL}"


def _go_on(run: Run) -> Plan:
    results: list[HelmTestResult] = []
    for hook in run.suite.hooks:
        step = steps.take(run, hook)
        if step.standing.verdict is not Verdict.PASSED:
            return _answer(run, step, results=tuple(results), hook=hook)
        if hook.is_test:
            name = (hook.kind, object_name(hook, run.key))
            run = replace(run, memory=run.memory.with_passed(name, step.standing))
            results.append(_result(run, hook, step.standing))
    return _answer(run, steps.stop(Verdict.PASSED), results=tuple(results))


def _answer(
    run: Run, step: Step, *, results: tuple[HelmTestResult, ...], hook: Hook | None = None
) -> Plan:
    standing = step.standing
    failed = hook is not None and standing.verdict is Verdict.FAILED
    log = next((found for found in map(logs.source, step.pods) if found is not None), None)
    tail = f"(no log: {standing.message})"[: logs.MAX_LENGTH] if failed and log is None else ""
    if hook is not None and hook.is_test and step.effect is None:
        results = (*results, _result(run, hook, standing))
    view = RunView(
        phase=_PHASES[standing.verdict],
        work=step.effect is not None,
        results=results,
        failed_test=hook.name if failed and hook is not None else "",
        reason=standing.reason,
        message=standing.message,
        log_tail=tail,
        look_again_at=standing.look_again_at,
        objects_left=_objects_left(run),
    )
    return Plan(view=view, effect=step.effect, memory=run.memory, log=log)


def _result(run: Run, hook: Hook, standing: verdict.Standing) -> HelmTestResult:
    return HelmTestResult(
        name=hook.name,
        verdict=standing.verdict,
        attempt=run.attempt,
        duration_seconds=standing.seconds,
    )


def _settle(run: Run, recorded: Verdict) -> Plan:
    """Delete by policy what the recorded run leaves, and create nothing any more."""
    effect = deletions.by_policy(run, recorded)
    view = RunView(
        phase=_PHASES[recorded],
        work=effect is not None,
        objects_left=_objects_left(run),
    )
    return Plan(view=view, effect=effect, memory=run.memory)


def _seen(objects: Mapping[ObjectKey, Object], key: RunKey) -> dict[ObjectKey, str]:
    return {
        name: str(obj["metadata"]["uid"])
        for name, obj in objects.items()
        if steps.labels_of(obj).get(RUN_LABEL) == key.label and name[0] in TEST_KINDS
    }


def _objects_left(run: Run) -> bool:
    found = run.memory.found.values()
    ours = any(f.labels.get(OWNER_LABEL) == run.key.uid and not f.deleting for f in found)
    return ours or any(
        RUN_LABEL in steps.labels_of(obj) and not is_deleting(obj) for obj in run.objects.values()
    )
