"""The design's invariants, each a function from a ledger and one effect to its breaches.

They are judged on what the operator could see when it decided, where a cache may lag, and on the
truth where the order of its own writes is at stake. The design's own sentence is the docstring.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Stage, State, Status, parse_status
from gatewaycanary.core.decision import (
    CreateCanary,
    DeleteCanary,
    DeleteTests,
    RaiseWeight,
    ScaleCanary,
    SetStableImage,
)
from model import orders, sides
from model.ledgers import Ledger
from model.observing import RUNNING
from model.pictures import Picture
from model.replicas import StatusWrite, Step

TRAFFIC_STAGES = frozenset({Stage.RAMPING, Stage.PROMOTING})
OF_THE_CANARY = frozenset(
    {
        "CanaryUnavailable",
        "CrashLoopBackOff",
        "ProgressDeadlineExceeded",
        "TestFailed",
        "TestTimeout",
        "TestInterrupted",
    }
)


def breaches(ledger: Ledger, step: Step) -> Iterator[str]:
    """Give every breach that this effect is."""
    for check in CHECKS:
        for told in check(ledger, step):
            yield f"{check.__name__}: {told}"


def gates_before_weight(ledger: Ledger, step: Step) -> Iterator[str]:
    """1. The weight rises only when every gate of the step before passed for this revision."""
    if not isinstance(step.effect, StatusWrite):
        return
    old, new = step.observation.status.state, step.effect.status.state
    if new.revision != old.revision:
        return
    if new.recorded > old.recorded:
        yield from _ungated(ledger, step, new)
    if new.announced > old.announced:
        yield from _out_of_order(step, old, new)
    promoted = new.stage is Stage.PROMOTING and old.stage is Stage.RAMPING
    if promoted and not new.adopted and new.recorded != 100:
        yield f"promotion was announced with {new.recorded} % recorded"


def _ungated(ledger: Ledger, step: Step, new: State) -> Iterator[str]:
    spec, weight = step.observation.spec, new.recorded
    since = ledger.carried.get((new.revision, weight))
    if spec is None or since is None:
        yield f"{weight} % was recorded, though the route never carried it"
        return
    lasted = ledger.seconds() - since
    wanted = spec.step(weight)
    if wanted.hold is not None and lasted < wanted.hold.total_seconds():
        yield f"{weight} % was recorded after {lasted} s, hold is {wanted.hold}"
    if not step.observation.route.settled and lasted < spec.traffic.settle.total_seconds():
        yield f"{weight} % was recorded after {lasted} s, settle is {spec.traffic.settle}"
    if wanted.approval and step.observation.meta.approve != f"{new.revision}/{weight}":
        yield f"{weight} % was recorded without approval"
    for suite in range(len(spec.tests)):
        if (new.revision, weight, suite) not in ledger.passed:
            yield f"{weight} % was recorded, though suite {suite} did not pass"


def _out_of_order(step: Step, old: State, new: State) -> Iterator[str]:
    spec = step.observation.spec
    if spec is None:
        yield "a weight was announced with an unreadable spec"
        return
    following = next((weight for weight in spec.weights if weight > new.recorded), None)
    if new.recorded != old.announced or new.announced != following:
        yield f"{new.announced} % was announced after {old.announced} %, {following} % comes next"
    needed = need(spec, weight=new.announced, baseline=new.baseline_replicas)
    if new.need != needed:
        yield f"{new.announced} % needs {needed} endpoints, {new.need} were recorded"


def need(spec: GatewayCanarySpec, *, weight: int, baseline: int) -> int:
    """Compute the design's need of ready endpoints."""
    replicas = spec.canary.replicas
    if isinstance(replicas, int):
        return replicas
    if replicas == "Full":
        return max(1, baseline)
    return max(1, ceil(weight * baseline / 100), min(2, baseline))


def announced_before_written(ledger: Ledger, step: Step) -> Iterator[str]:
    """5.5. Every status write precedes the effect it announces (a revert's is the exception)."""
    del ledger
    effect, stored = step.effect, _stored(step.before)
    if isinstance(effect, RaiseWeight) and step.moved:
        if stored is None or stored.state.announced != effect.weight:
            yield f"{effect.weight} % was written, but not announced"
        elif stored.state.stage not in TRAFFIC_STAGES:
            yield f"{effect.weight} % was written in stage {stored.state.stage}"
    if isinstance(effect, CreateCanary) and step.before.canary is None:
        if stored is None or stored.state.revision != effect.revision:
            yield f"a canary of {effect.revision} was made, but not announced"
        if step.before.resource is None or not step.before.resource.finalizer:
            yield f"a canary of {effect.revision} was made without a finalizer"


def never_up_after_a_failure(ledger: Ledger, step: Step) -> Iterator[str]:
    """2. A failed revision's weight never rises again; the next write goes to the safe side."""
    revision = step.observation.status.state.revision
    if revision not in ledger.turned or not step.moved:
        return
    if isinstance(step.effect, RaiseWeight):
        yield f"{revision} was turned back, and yet got {step.effect.weight} %"


def route_as_found_at_rest(ledger: Ledger, step: Step) -> Iterator[str]:
    """3. At rest the route is as found, and nothing of ours exists (7: and nothing else went)."""
    del ledger
    if not step.ends:
        return
    seen = step.observation
    if seen.route.attached or seen.route.withdrawn:
        yield "the rollout ended with our destination in the route"
    if (seen.canary is not None and not seen.canary.deleting) or seen.canary_service:
        yield "the rollout ended with a canary Deployment or Service"
    if seen.tests.objects_left:
        yield "the rollout ended with test objects"
    original, scaler = seen.status.state.autoscaler_original, seen.autoscaler
    named = scaler is not None and scaler.name == seen.status.state.autoscaler
    if scaler is not None and named and scaler.held and original != "Disabled":
        yield "the rollout ended with the autoscaler held"
    if seen.meta.finalizer:
        yield "the rollout ended with our finalizer"


def enough_endpoints_for_a_raise(ledger: Ledger, step: Step) -> Iterator[str]:
    """4. The weight is raised only with enough ready endpoints for it."""
    del ledger
    effect, seen = step.effect, step.observation
    if not isinstance(effect, RaiseWeight) or not step.moved or not step.upward:
        return
    needed = step.decision.status.state.need
    if seen.endpoints.canary < needed:
        yield f"{effect.weight} % with {seen.endpoints.canary} of {needed} endpoints"
    if seen.endpoints.stable == 0:
        yield f"{effect.weight} % while stable had no endpoint"
    if seen.spec is None or seen.spec.suspend:
        yield f"{effect.weight} % while suspended or unreadable"
    if seen.meta.deleting:
        yield f"{effect.weight} % while being deleted"


def one_run_in_flight(ledger: Ledger, step: Step) -> Iterator[str]:
    """5. At most one test run in flight for a canary."""
    del ledger
    live = [key for key, hooks in step.after.runs if RUNNING in hooks]
    if len(live) > 1:
        yield f"test runs in flight at once: {live}"


def pods_outlive_their_traffic(ledger: Ledger, step: Step) -> Iterator[str]:
    """10. No canary pod goes before the route has read 0, or lacked us, for the whole delay."""
    effect, canary = step.effect, step.before.canary
    fewer = isinstance(effect, ScaleCanary) and canary and effect.replicas < canary.replicas
    deleted = isinstance(effect, DeleteCanary) and canary and step.after != step.before
    if not fewer and not deleted:
        return
    spec = step.observation.spec
    delay = spec.canary.scale_down_delay.total_seconds() if spec else 30.0
    settle = spec.traffic.settle.total_seconds() if spec else 5.0
    since = ledger.quiet_since
    if since is None or ledger.seconds() - since < max(delay, settle):
        yield f"canary pods went {since and ledger.seconds() - since} s after their traffic"


def no_verdict_while_nobody_serves(ledger: Ledger, step: Step) -> Iterator[str]:
    """Capacity. Both sides empty: no verdict and no write until one is back."""
    del ledger
    seen, effect = step.observation, step.effect
    if not seen.route.attached or seen.endpoints.stable or seen.endpoints.canary:
        return
    if isinstance(effect, SetStableImage) and effect.image == seen.status.state.image:
        yield "stable was given the new image while neither side had endpoints"
    if isinstance(effect, StatusWrite) and seen.status.state.stage in TRAFFIC_STAGES:
        turned = effect.status.state.stage is Stage.ROLLING_BACK and effect.status.failure
        if turned and turned.reason in OF_THE_CANARY:
            yield f"{turned.reason} was a verdict while neither side had endpoints"


def starts_only_when_asked(ledger: Ledger, step: Step) -> Iterator[str]:
    """When. A rollout starts only on a new image in the spec or a new retry token."""
    if not isinstance(step.effect, StatusWrite):
        return
    old, new = step.observation.status.state, step.effect.status.state
    if new.ordinal == old.ordinal:
        return
    retried = step.observation.meta.retry not in ("", old.retry_seen)
    if new.image == old.image and not retried:
        yield f"{new.image} was started again, though nobody asked"
    if new.revision in ledger.revisions:
        yield f"revision {new.revision} is not new"
    if old.stage is not Stage.RESTING or step.observation.route.attached:
        yield f"a rollout was started in stage {old.stage}"


def evidence_before_deletion(ledger: Ledger, step: Step) -> Iterator[str]:
    """2. The failed test's objects are kept until the status holds its log."""
    del ledger
    stored = _stored(step.before)
    if isinstance(step.effect, DeleteTests) and stored and stored.state.evidence_pending:
        yield "the failed test was deleted before its log was kept"


def conditions_are_consistent(ledger: Ledger, step: Step) -> Iterator[str]:
    """kstatus: exactly one of Ready, Reconciling and Stalled; Ready only at rest."""
    del ledger
    if not isinstance(step.effect, StatusWrite):
        return
    status = step.effect.status
    found = {condition.type: condition.status for condition in status.conditions}
    held = [kind for kind in ("Ready", "Reconciling", "Stalled") if found.get(kind) == "True"]
    if len(held) != 1:
        yield f"conditions {held} are True together in phase {status.phase}"
    handover = status.phase == "AwaitingHandover"
    if found.get("Ready") == "True" and status.state.stage is not Stage.RESTING and not handover:
        yield f"Ready in stage {status.state.stage}"


def traffic_outlives_no_canary(ledger: Ledger, picture: Picture) -> Iterator[str]:
    """9. Deletion at any moment returns traffic: no route leads to a canary that nobody holds."""
    carries = picture.route.carries and picture.ingress
    if picture.resource is None and carries and not ledger.let_go:
        yield "the GatewayCanary is gone while its route carries traffic"


def _stored(picture: Picture) -> Status | None:
    return parse_status(picture.resource.status) if picture.resource else None


CHECKS = (
    orders.traffic_before_status,
    orders.status_before_effects,
    gates_before_weight,
    announced_before_written,
    never_up_after_a_failure,
    sides.stable_image_only_when_proven,
    route_as_found_at_rest,
    sides.promoted_only_when_rolled_out,
    sides.stable_as_found_after_a_failure,
    enough_endpoints_for_a_raise,
    one_run_in_flight,
    sides.never_to_an_empty_side,
    sides.proven_side_until_stable_recovers,
    pods_outlive_their_traffic,
    no_verdict_while_nobody_serves,
    starts_only_when_asked,
    evidence_before_deletion,
    conditions_are_consistent,
)
