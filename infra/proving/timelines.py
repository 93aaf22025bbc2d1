"""Readings of a history that several invariants share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gatewaycanary.core.naming import OWNER_LABEL, WITHDRAWN_ANNOTATION
from gatewaycanary.kube.resources import Object
from proving import routes
from proving.histories import Record
from proving.routes import Claim

WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
CANARY = "nginx.ingress.kubernetes.io/canary"
MANAGER = "gatewaycanary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One change of a canary's weight in a route. ``owner``: the GatewayCanary's uid."""

    record: Record
    before: int
    after: int
    owner: str

    @property
    def foreign(self) -> bool:
        """Tell whether somebody else wrote it.

        NB: an object of ours is nobody's to write, so there only a scenario's word is taken. In a
        person's object our own write is known by our entry, which is taken out only afterwards.
        """
        held = self.record.kind in routes.HELD
        return self.record.by_hand or (held and not routes.claimed(self.record.object))


def labels(item: Object) -> dict[str, str]:
    """Give an object's labels."""
    found: dict[str, str] = item["metadata"].get("labels") or {}
    return found


def notes(item: Object) -> dict[str, str]:
    """Give an object's annotations."""
    found: dict[str, str] = item["metadata"].get("annotations") or {}
    return found


def ours(item: Object) -> bool:
    """Tell whether the operator owns the object."""
    return OWNER_LABEL in labels(item)


def status(item: Object) -> dict[str, Any]:
    """Give an object's status."""
    found: dict[str, Any] = item.get("status") or {}
    return found


def state(item: Object) -> dict[str, Any]:
    """Give the position that a GatewayCanary's status holds."""
    found: dict[str, Any] = status(item).get("state") or {}
    return found


def of_kind(records: Iterable[Record], kind: str) -> list[Record]:
    """Choose the records of one kind."""
    return [record for record in records if record.kind == kind]


def weight(item: Object) -> int:
    """Read the share of traffic that a canary Ingress asks for; what cannot be read is none."""
    text = notes(item).get(WEIGHT, "")
    return int(text) if text.isdigit() and notes(item).get(CANARY) == "true" else 0


def shifts(records: Sequence[Record]) -> Iterator[Shift]:
    """Follow the weight in each route, in the order of storage."""
    followed = [*_ingress_shifts(records), *_held_shifts(records)]
    yield from sorted(followed, key=lambda shift: shift.record.version)


def _ingress_shifts(records: Sequence[Record]) -> Iterator[Shift]:
    """Follow each Ingress of ours, its creation and deletion included."""
    last: dict[str, int] = {}
    for record in of_kind(records, "Ingress"):
        if not ours(record.object):
            continue
        after = 0 if record.deleted else weight(record.object)
        before = last.get(record.name, 0)
        last[record.name] = after
        if after != before:
            owner = labels(record.object)[OWNER_LABEL]
            yield Shift(record=record, before=before, after=after, owner=owner)


def _held_shifts(records: Sequence[Record]) -> Iterator[Shift]:
    """Follow each route that a person holds, while a GatewayCanary claims it."""
    last: dict[str, int] = {}
    for record, claim in held(records):
        after = 0 if record.deleted else routes.weight(record.object, claim) or 0
        before = last.get(claim.owner, 0)
        last[claim.owner] = after
        if after != before:
            yield Shift(record=record, before=before, after=after, owner=claim.owner)


def held(records: Sequence[Record]) -> Iterator[tuple[Record, Claim]]:
    """Give the versions of routes that a person holds, each with the claim that holds then.

    The version before the claim comes first: it is how the route was found. Of two claims on one
    route the older counts.
    """
    claims: dict[tuple[str, str], Claim] = {}
    latest: dict[tuple[str, str], Record] = {}
    for record in records:
        key = record.kind, record.name
        if record.kind in routes.HELD:
            latest[key] = record
            if key in claims:
                yield record, claims[key]
        elif record.kind == "GatewayCanary" and (claim := Claim.of(record.object)):
            held_by = claims.get(claim.key)
            if held_by is None and not record.deleted and claim.key in latest:
                yield latest[claim.key], claim
            if held_by is None or held_by.owner == claim.owner:
                claims[claim.key] = claim
                if record.deleted:
                    del claims[claim.key]


def canaries(records: Sequence[Record], uid: str) -> list[Record]:
    """Give the stored versions of one GatewayCanary."""
    found = of_kind(records, "GatewayCanary")
    return [record for record in found if record.object["metadata"]["uid"] == uid]


def before(records: Sequence[Record], version: int) -> Record | None:
    """Give the last of these records that was stored before a version."""
    return next((record for record in reversed(records) if record.version < version), None)


def withdrawn(item: Object) -> str:
    """Name the revision that a route is marked as taken back from."""
    return notes(item).get(WITHDRAWN_ANNOTATION, "")


def ready_endpoints(item: Object) -> int:
    """Count the ready addresses of an EndpointSlice."""
    endpoints = item.get("endpoints") or []
    return sum(
        len(each.get("addresses") or [])
        for each in endpoints
        if (each.get("conditions") or {}).get("ready", True)
    )


def endpoints_of(records: Sequence[Record], service: str) -> list[tuple[int, int]]:
    """Follow how many ready endpoints a Service has, as (version, number)."""
    slices: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    for record in of_kind(records, "EndpointSlice"):
        if labels(record.object).get("kubernetes.io/service-name") == service:
            slices[record.name] = 0 if record.deleted else ready_endpoints(record.object)
            found.append((record.version, sum(slices.values())))
    return found


def ready_at(course: Sequence[tuple[int, int]], version: int) -> int:
    """Read such a course at a version."""
    return next((number for at, number in reversed(course) if at < version), 0)
