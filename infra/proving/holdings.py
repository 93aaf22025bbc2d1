"""What must hold of a route that a person holds: only weights move, and it is left as found.

A write of ours is known by our entry in `metadata.managedFields`, which goes only afterwards. All
other writes are people's and tools': each of them is a new way that the route is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gatewaycanary.kube.resources import Object
from proving import routes, timelines
from proving.histories import Record
from proving.routes import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One route while one GatewayCanary claims it, from the version that was found on."""

    claim: Claim
    versions: list[Record] = field(default_factory=list)

    def ours(self) -> Iterator[tuple[Record, Record]]:
        """Give our writes, each with the version before it."""
        for before, after in pairwise(self.versions):
            if _changed(before, after) and not _foreign(after):
                yield before, after

    def theirs(self) -> list[Record]:
        """Give the version that was found and those that others wrote."""
        written = [
            after
            for before, after in pairwise(self.versions)
            if _changed(before, after) and _foreign(after)
        ]
        return [self.versions[0], *written]

    def pristine(self) -> Record:
        """Give the newest of these without our destination: what is to be put back."""
        held = routes.weight(self.versions[0].object, self.claim) is not None
        allowed = (None, 0) if held else (None,)
        return [
            each
            for each in self.theirs()
            if routes.weight(each.object, self.claim) in allowed
            if each is self.versions[0] or not timelines.withdrawn(each.object)
        ][-1]


def courses(records: Sequence[Record]) -> list[Course]:
    """Follow every claimed route."""
    found: dict[str, Course] = {}
    for record, claim in timelines.held(records):
        course = found.setdefault(claim.owner, Course(claim=claim))
        course.versions.append(record)
    return list(found.values())


def unbalanced_weights(records: Sequence[Record]) -> list[str]:
    """3: in a rule that we wrote, our weight and stable's are 100 together, nobody else has any."""
    return [
        f"{record.kind} {record.name} at version {record.version}: {share}"
        for course in courses(records)
        for _, record in course.ours()
        for share in routes.shares(record.object, course.claim)
        if share.canary is not None
        if share.canary + share.stable != 100 or share.others
        if share not in routes.shares(course.pristine().object, course.claim)
    ]


def meddled_routes(records: Sequence[Record]) -> list[str]:
    """3: a write of ours changes nothing in a person's route but destination and weights."""
    return [
        f"{record.kind} {record.name}: version {record.version} is not only about weights"
        for course in courses(records)
        for before, record in course.ours()
        if routes.skeleton(before.object, course.claim)
        != routes.skeleton(record.object, course.claim)
    ]


def routes_not_as_found(records: Sequence[Record]) -> list[str]:
    """3: in the end a route equals what people last made of it, defaults and owners included.

    NB: owners are compared only where nobody else wrote while our destination was in it: a writer
    takes over what is there, and keeps it.
    """
    told = []
    for course in courses(records):
        last, claim = course.versions[-1], course.claim
        if last.deleted:
            continue
        theirs, pristine = course.theirs()[-1], course.pristine()
        if routes.skeleton(last.object, claim) != routes.skeleton(theirs.object, claim):
            told.append(f"{last.kind} {last.name} lost what others wrote into it")
        if routes.shares(last.object, claim) != routes.shares(pristine.object, claim):
            told.append(f"{last.kind} {last.name} is left with {last.object['spec']}")
        if theirs is pristine and _whole(last.object) != _whole(pristine.object):
            told.append(
                f"{last.kind} {last.name} is not as found: {_whole(pristine.object)} became "
                f"{_whole(last.object)}"
            )
    return told


def traces_at_rest(records: Sequence[Record]) -> list[str]:
    """3: a status at rest is stored only once no trace of ours is in a person's route any more."""
    told = []
    for record in timelines.of_kind(records, "GatewayCanary"):
        claim = Claim.of(record.object)
        if claim is None or record.deleted or not _rests(record.object):
            continue
        versions = [each for each in records if (each.kind, each.name) == claim.key]
        last = timelines.before(versions, record.version)
        if last is not None and (traces := trace(last.object)):
            told.append(f"at rest at version {record.version}, and yet {traces} in {claim.route}")
    return told


def trace(item: Object) -> str:
    """Name what of ours is in a route that a person holds."""
    if timelines.withdrawn(item):
        return "the mark of a revert"
    return "our entry in managedFields" if routes.claimed(item) else ""


def _foreign(record: Record) -> bool:
    return record.by_hand or not routes.claimed(record.object)


def _changed(before: Record, after: Record) -> bool:
    return _written(before.object) != _written(after.object)


def _written(item: Object) -> object:
    return item.get("spec"), timelines.notes(item), timelines.labels(item)


def _whole(item: Object) -> object:
    return routes.content(item), routes.owners(item)


def _rests(canary: Object) -> bool:
    return bool(timelines.state(canary).get("stage", "Resting") == "Resting")
