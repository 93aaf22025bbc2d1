"""The promises that hold in every run, judged on what the API server stored.

Each check reads a whole history and gives one sentence a breach; the numbers are those of the
design's list. A write made by hand in a scenario is known by its resourceVersion and is nobody's
breach. A cache may lag behind the store, so a check that compares two objects allows the
operator any version of the other one since the status write that announced the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gatewaycanary.core.naming import OWNER_LABEL, REVISION_LABEL, RUN_LABEL
from gatewaycanary.kube.resources import Object
from proving import holdings, routes, timelines
from proving.histories import Record
from proving.timelines import Shift

_ENDED = frozenset({"Succeeded", "Failed"})


def breaches(records: Sequence[Record]) -> list[str]:
    """Give every breach of every invariant in one namespace's history."""
    checks: tuple[Callable[[Sequence[Record]], list[str]], ...] = (
        unannounced_raises,
        ungated_announcements,
        raises_after_failure,
        raises_without_capacity,
        moves_to_an_empty_side,
        test_runs_side_by_side,
        early_promotions,
        foreign_deletions,
        foreign_route_writes,
        holdings.unbalanced_weights,
        holdings.meddled_routes,
        holdings.routes_not_as_found,
        holdings.traces_at_rest,
        confused_conditions,
        tests_as_endpoints,
    )
    return [told for check in checks for told in check(records)]


def unannounced_raises(records: Sequence[Record]) -> list[str]:
    """1, 6: a raise is preceded by the status that announces exactly it."""
    told = []
    for shift, canary in _raises(records):
        announced = timelines.state(canary).get("announced", 0) if canary else 0
        if announced != shift.after:
            told.append(
                f"weight {shift.before} → {shift.after} at version {shift.record.version}, "
                f"but the status announced {announced}"
            )
    return told


def ungated_announcements(records: Sequence[Record]) -> list[str]:
    """1: a step is announced only once the tests of the step before have passed."""
    told: list[str] = []
    last: dict[str, int] = {}
    for record in timelines.of_kind(records, "GatewayCanary"):
        state, spec = timelines.state(record.object), record.object["spec"]
        revision, announced = state.get("revision", ""), state.get("announced", 0)
        known = last.get(revision)
        last[revision] = announced
        if not known or announced <= known or not spec.get("tests"):
            continue
        if not _passed(records, revision=revision, weight=known, until=record.version):
            told.append(f"weight {announced} was announced, but no test passed at {known} %")
    return told


def raises_after_failure(records: Sequence[Record]) -> list[str]:
    """2: the weight of a revision that failed, or was withdrawn, never rises again."""
    told = []
    for shift, canary in _raises(records):
        if canary is None:
            continue
        revision = timelines.state(canary).get("revision", "")
        if revision in _failed_revisions(records, shift.record.version):
            told.append(f"revision {revision} had failed, and yet got weight {shift.after}")
    return told


def raises_without_capacity(records: Sequence[Record]) -> list[str]:
    """4: the canary's Service has the ready endpoints that a raised weight needs."""
    told = []
    for shift, canary in _raises(records):
        if canary is None:
            continue
        need = _need(canary, shift.after)
        course = timelines.endpoints_of(records, routes.services(canary)[1])
        since = _announced_at(records, canary, shift)
        seen = [number for at, number in course if since <= at < shift.record.version]
        ready = max([*seen, timelines.ready_at(course, since)])
        if ready < need:
            told.append(f"weight {shift.after} with {ready} of {need} ready endpoints")
    return told


def moves_to_an_empty_side(records: Sequence[Record]) -> list[str]:
    """10: no write moves traffic to a side without ready endpoints while the other has some."""
    told = []
    for shift in timelines.shifts(records):
        canary = _owner(records, shift)
        if canary is None or shift.foreign or shift.after > shift.before:
            continue
        stable, ours = (timelines.endpoints_of(records, name) for name in routes.services(canary))
        version = shift.record.version
        if not timelines.ready_at(stable, version) and timelines.ready_at(ours, version):
            told.append(f"weight {shift.before} → {shift.after} while stable had no endpoint")
    return told


def test_runs_side_by_side(records: Sequence[Record]) -> list[str]:
    """5: at most one test run of a canary is in flight."""
    told: list[str] = []
    live: dict[str, tuple[str, str]] = {}
    for record in timelines.of_kind(records, "Pod"):
        found = timelines.labels(record.object)
        if RUN_LABEL not in found:
            continue
        phase = timelines.status(record.object).get("phase", "Pending")
        uid = record.object["metadata"]["uid"]
        if record.deleted or phase in _ENDED or "deletionTimestamp" in record.object["metadata"]:
            live.pop(uid, None)
        elif uid not in live:
            live[uid] = (found.get(OWNER_LABEL, ""), found[RUN_LABEL])
            others = {run for owner, run in live.values() if owner == live[uid][0]}
            if len(others) > 1:
                told.append(f"test runs in flight at the same time: {sorted(others)}")
    return told


def early_promotions(records: Sequence[Record]) -> list[str]:
    """1: stable gets the canary's image from us only after 100 % has passed its gates."""
    told: list[str] = []
    images: dict[str, str] = {}
    for record in timelines.of_kind(records, "Deployment"):
        if timelines.ours(record.object) or record.deleted:
            continue
        image = record.object["spec"]["template"]["spec"]["containers"][0]["image"]
        known = images.get(record.name, image)
        images[record.name] = image
        if image == known or record.by_hand or not _image_is_ours(record.object):
            continue
        canary = _canary_of_target(records, record)
        position = timelines.state(canary) if canary else {}
        back = canary is not None and timelines.status(canary).get("stableImage") == image
        if not back and position.get("recorded") != 100:
            told.append(f"stable got {image} when {position.get('recorded')} % was recorded")
    return told


def foreign_deletions(records: Sequence[Record]) -> list[str]:
    """7: what a person deletes is told by hand; all else that goes is ours or a controller's."""
    kept = {"Deployment", "Service", "Ingress", "HorizontalPodAutoscaler", *routes.HELD}
    return [
        f"{record.kind} {record.name} is gone, and it was not ours"
        for record in records
        if record.deleted and record.kind in kept
        if not timelines.ours(record.object) and not record.by_hand
    ]


def foreign_route_writes(records: Sequence[Record]) -> list[str]:
    """3: for nginx the user's own Ingress is never written."""
    return [
        f"Ingress {record.name} carries fields of ours at version {record.version}"
        for record in timelines.of_kind(records, "Ingress")
        if not timelines.ours(record.object)
        if any(each.startswith(timelines.MANAGER) for each in _managers(record.object))
    ]


def confused_conditions(records: Sequence[Record]) -> list[str]:
    """kstatus: a stored status is at work, stalled or ready, and only one of them."""
    told = []
    for record in timelines.of_kind(records, "GatewayCanary"):
        conditions = timelines.status(record.object).get("conditions", [])
        true = {each["type"] for each in conditions if each["status"] == "True"}
        readings = true & {"Ready", "Reconciling", "Stalled"}
        if conditions and len(readings) != 1 and readings != {"Reconciling", "Stalled"}:
            told.append(f"conditions {sorted(readings)} true together at {record.version}")
    return told


def tests_as_endpoints(records: Sequence[Record]) -> list[str]:
    """A test pod never becomes an endpoint of any Service."""
    tests = {
        record.name
        for record in timelines.of_kind(records, "Pod")
        if RUN_LABEL in timelines.labels(record.object)
    }
    named = {
        (record.name, (endpoint.get("targetRef") or {}).get("name"))
        for record in timelines.of_kind(records, "EndpointSlice")
        for endpoint in record.object.get("endpoints") or []
    }
    return [f"test pod {pod} was an endpoint in {name}" for name, pod in named if pod in tests]


def _raises(records: Sequence[Record]) -> list[tuple[Shift, Object | None]]:
    return [
        (shift, _owner(records, shift))
        for shift in timelines.shifts(records)
        if shift.after > shift.before and not shift.foreign
    ]


def _owner(records: Sequence[Record], shift: Shift) -> Object | None:
    known = timelines.canaries(records, shift.owner)
    found = timelines.before(known, shift.record.version)
    return found.object if found else None


def _canary_of_target(records: Sequence[Record], record: Record) -> Object | None:
    named = [
        each
        for each in timelines.of_kind(records, "GatewayCanary")
        if each.object["spec"]["targetRef"]["name"] == record.name
    ]
    found = timelines.before(named, record.version)
    return found.object if found else None


def _passed(records: Sequence[Record], *, revision: str, weight: int, until: int) -> bool:
    return any(
        record.version < until
        and RUN_LABEL in timelines.labels(record.object)
        and timelines.labels(record.object).get(REVISION_LABEL) == revision
        and timelines.status(record.object).get("phase") == "Succeeded"
        and environment(record.object).get("GATEWAYCANARY_WEIGHT") == str(weight)
        for record in timelines.of_kind(records, "Pod")
    )


def environment(pod: Object) -> dict[str, str]:
    """Give the environment that a pod's first container is given in plain."""
    found = pod["spec"]["containers"][0].get("env", [])
    return {each["name"]: each.get("value", "") for each in found}


def _failed_revisions(records: Sequence[Record], until: int) -> set[str]:
    failed = set()
    for record in records:
        if record.version >= until:
            break
        if record.kind == "GatewayCanary":
            position = timelines.state(record.object)
            if position.get("outcome") in {"Failed", "Aborted", "Deleted"}:
                failed.add(position.get("revision", ""))
        elif record.kind in routes.HELD or timelines.ours(record.object):
            failed.add(timelines.withdrawn(record.object))
    return failed - {""}


def _announced_at(records: Sequence[Record], canary: Object, shift: Shift) -> int:
    since = shift.record.version
    for record in reversed(timelines.canaries(records, canary["metadata"]["uid"])):
        if record.version < shift.record.version:
            if timelines.state(record.object).get("announced") != shift.after:
                break
            since = record.version
    return since


def _need(canary: Object, weight: int) -> int:
    baseline = timelines.state(canary).get("baselineReplicas", 1)
    replicas = canary["spec"].get("canary", {}).get("replicas", "Proportional")
    if isinstance(replicas, int):
        return replicas
    if replicas == "Full":
        return int(baseline)
    return int(max(math.ceil(weight * baseline / 100), min(2, baseline)))


def _managers(item: Object) -> set[str]:
    return {each["manager"] for each in item["metadata"].get("managedFields", [])}


def _image_is_ours(item: Object) -> bool:
    return any(
        entry["manager"].startswith(timelines.MANAGER) and "f:image" in str(entry["fieldsV1"])
        for entry in item["metadata"].get("managedFields", [])
    )
