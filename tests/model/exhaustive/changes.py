"""What each picture may turn into without the operator, found once."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model.cluster import Cluster
from model.exhaustive import happenings
from model.exhaustive.happenings import Happening
from model.exhaustive.nodes import Course
from model.exhaustive.stores import Store
from model.pictures import Picture


class By(StrEnum):
    """Who brings a change about."""

    ITSELF = "by itself"
    LEAVE = "by a person's leave"
    FAULT = "as a fault"


class Change(NamedTuple):
    """A change in words, the picture that it leads to, and what it makes of the course."""

    words: str
    truth: int
    course: Course


class Changes:
    """The changes of every picture."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[tuple[int, By], tuple[Change, ...]] = {}

    def of(self, truth: int, by: By) -> tuple[Change, ...]:
        """Give the changes of a picture, each to another picture."""
        found = self._found.get((truth, by))
        if found is None:
            found = self._found[truth, by] = tuple(self._find(truth, by))
        return found

    def _find(self, truth: int, by: By) -> Iterator[Change]:
        picture = self._store[truth]
        for one in self._happenings(picture, by):
            cluster = Cluster(picture)
            one.change(cluster)
            after = self._store.number(cluster.now)
            if after != truth:
                yield Change(one.words, after, one.course)

    def _happenings(self, picture: Picture, by: By) -> Iterator[Happening]:
        match by:
            case By.ITSELF:
                return happenings.by_itself(picture)
            case By.FAULT:
                return happenings.faults(picture)
            case By.LEAVE:
                status = self._store.status(picture)
                return iter(()) if status is None else happenings.by_leave(picture, status)
