"""From a view to an Observation, as the engine's observer does it for raw objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gatewaycanary.api.status import (
    FoundRoute,
    FoundRule,
    HelmTestResult,
    Status,
    Verdict,
    parse_status,
)
from gatewaycanary.core.observation import (
    Autoscaler,
    CanaryWorkload,
    Endpoints,
    Meta,
    Observation,
    Problem,
    RouteView,
    RunPhase,
    RunView,
    Target,
)
from model.pictures import Picture, Resource, RunKey

RUNNING: Final = "Running"
PASSED: Final = "Passed"
FAILED: Final = "Failed"
EVICTED: Final = "Evicted"
_VERDICTS: Final = {
    RUNNING: Verdict.RUNNING,
    PASSED: Verdict.PASSED,
    FAILED: Verdict.FAILED,
    EVICTED: Verdict.INTERRUPTED,
}
MISSING_TARGET: Final = Problem(
    reason="TargetNotFound", object="Deployment gateway", message="does not exist"
)
MISSING_INGRESS: Final = Problem(
    reason="IngressNotFound", object="Ingress gateway", message="does not exist"
)
FOUND: Final = FoundRoute(rules=(FoundRule(name="spec.http[0]"),))


@dataclass(slots=True, kw_only=True)
class Memory:
    """What an operator knows beside its caches, and loses in a crash."""

    loaded: bool = False
    log_tail: str = ""
    seen: set[tuple[RunKey, int]] = field(default_factory=set)
    unwritable_since: datetime | None = None


def run_key(status: Status) -> RunKey:
    """Name the run that the status speaks of; after the ramp, the one that failed."""
    state = status.state
    weight = state.announced or (status.failure.weight if status.failure else 0)
    return RunKey(revision=state.revision, weight=weight, suite=state.suite, run=state.run)


def observe(picture: Picture, memory: Memory, now: datetime) -> Observation | None:
    """Read the picture; None where the GatewayCanary is gone."""
    resource = picture.resource
    if resource is None:
        return None
    status = parse_status(resource.status)
    return Observation(
        now=now,
        meta=_meta(resource),
        spec=resource.spec,
        status=status,
        problems=_problems(picture),
        target=_target(picture),
        revision_hash=picture.stable.template if picture.stable else "",
        canary=_canary(picture),
        canary_service=picture.service,
        endpoints=Endpoints(
            stable=picture.stable_ready,
            canary=picture.canary_pods.ready,
            canary_newly_ready_at=picture.canary_pods.newly_ready_at,
            canary_fault=picture.canary_pods.fault,
        ),
        route=_route(picture),
        tests=_tests(picture, memory, status, has_suites=_has_suites(resource)),
        autoscaler=_autoscaler(picture),
        route_unwritable_since=memory.unwritable_since,
    )


def _meta(resource: Resource) -> Meta:
    return Meta(
        uid="uid",
        namespace="default",
        name="gateway",
        generation=resource.generation,
        resource_version=str(resource.version),
        deleting=resource.deleting,
        finalizer=resource.finalizer,
        approve=resource.approve,
        abort=resource.abort,
        retry=resource.retry,
    )


def _has_suites(resource: Resource) -> bool:
    return resource.spec is not None and bool(resource.spec.tests)


def _problems(picture: Picture) -> tuple[Problem, ...]:
    missing: tuple[Problem, ...] = () if picture.stable else (MISSING_TARGET,)
    missing += () if picture.ingress else (MISSING_INGRESS,)
    resource = picture.resource
    unread = resource is not None and resource.spec is None
    invalid = (Problem(reason="SpecInvalid", object="", message="no", immediate=True),)
    return (invalid if unread else ()) + missing + picture.problems


def _target(picture: Picture) -> Target | None:
    stable = picture.stable
    if stable is None:
        return None
    return Target(
        image=stable.image,
        template_hash=stable.template,
        replicas=stable.replicas,
        generation=stable.generation,
        rolled_out=stable.rolled_out,
    )


def _canary(picture: Picture) -> CanaryWorkload | None:
    canary = picture.canary
    if canary is None:
        return None
    return CanaryWorkload(
        revision=canary.revision, replicas=canary.replicas, deleting=canary.deleting
    )


def _route(picture: Picture) -> RouteView:
    route = picture.route
    if not route.attached and not route.held:
        return RouteView(present=picture.ingress)
    return RouteView(
        present=picture.ingress,
        attached=route.attached,
        weight=route.weight,
        text=route.text,
        withdrawn=route.mark,
        version=str(route.version),
        user_held=route.held,
        found=FOUND if route.held else None,
        left=route.attached or bool(route.mark),
    )


def _autoscaler(picture: Picture) -> Autoscaler | None:
    scaler = picture.scaler
    if scaler is None:
        return None
    held = scaler.policy == "Disabled"
    return Autoscaler(name="gateway", held=held, select_policy=scaler.policy)


def _tests(picture: Picture, memory: Memory, status: Status, *, has_suites: bool) -> RunView:
    left = bool(picture.runs)
    if not memory.loaded and has_suites:
        return RunView(phase=RunPhase.UNLOADED, log_tail=memory.log_tail, objects_left=left)
    key = run_key(status)
    releases = ("release-secret",) if has_suites else ()
    if key.run == 0:
        return RunView(log_tail=memory.log_tail, objects_left=left, releases=releases)
    hooks = picture.hooks(key)
    phase, work = run_phase(picture, key, memory)
    failed = next((at for at, state in enumerate(hooks) if state == FAILED), None)
    return RunView(
        phase=phase,
        work=work,
        releases=releases,
        results=_results(key, hooks),
        failed_test="" if failed is None else _name(key, failed),
        message="exit 1" if failed is not None else "",
        log_tail=memory.log_tail,
        objects_left=left,
    )


def run_phase(picture: Picture, key: RunKey, memory: Memory) -> tuple[RunPhase, bool]:
    """Tell where a run stands, and whether its next object is still to be made."""
    hooks, length = picture.hooks(key), picture.suite_length
    gone = any((key, at) in memory.seen for at in range(len(hooks), length))
    if FAILED in hooks:
        return RunPhase.FAILED, False
    if EVICTED in hooks or gone:
        return RunPhase.INTERRUPTED, False
    if RUNNING in hooks:
        return RunPhase.RUNNING, False
    if len(hooks) == length:
        return RunPhase.PASSED, False
    return RunPhase.RUNNING, True


def _results(key: RunKey, hooks: tuple[str, ...]) -> tuple[HelmTestResult, ...]:
    return tuple(
        HelmTestResult(name=_name(key, at), verdict=_VERDICTS[state], attempt=key.run)
        for at, state in enumerate(hooks)
    )


def _name(key: RunKey, hook: int) -> str:
    return f"suite-{key.suite}-hook-{hook}"


def true_moment(seconds: float) -> datetime:
    """Give the moment so many seconds after the model's beginning."""
    return datetime.fromisoformat("2026-01-01T00:00:00+00:00") + timedelta(seconds=seconds)
