"""What we know of one resource: trimmed records, never older than what we have written.

The watch tells what happened, but late. So the answer to each of our own writes is put in as well,
and whichever of the two is newer stands: resourceVersions are integers that grow over the whole
cluster. That makes reads after our own writes true, in three rules:

- Nothing is replaced by an equal or older version of itself.
- An answer about an object that we don't hold is taken only if it is newer than what the watch has
  already passed; otherwise the watch has shown us its end, and it must not come back for ever.
- What our own delete removed stays away, and so does all that was there before it: its uid and
  version are buried until the watch has told of its end.

A list (the first one, or after a gap in the watch) adds and changes; what it lacks was deleted in
the gap, unless it is newer than the list.

Subscribers are told of changes to the *record* only: what trimming drops wakes nobody.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from gatewaycanary.kube.resources import Object

T = TypeVar("T")

Key: TypeAlias = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""

_NO_INDEXES: Final[Mapping[str, Callable[[object], Iterable[Hashable]]]] = MappingProxyType({})


class _Entry(NamedTuple, Generic[T]):
    version: int
    uid: str
    record: T


class Store(Generic[T]):
    """Hold a record for each object, made by `trim`, found by key, namespace or named index.

    An index function gives the keys under which a record is found. Records should compare by value.
    """

    def __init__(
        self,
        *,
        trim: Callable[[Object], T],
        indexes: Mapping[str, Callable[[T], Iterable[Hashable]]] = _NO_INDEXES,
    ) -> None:
        self._trim = trim
        self._entries: dict[Key, _Entry[T]] = {}
        self._buried: dict[Key, tuple[str, int]] = {}
        self._namespaces = _Index[T]()
        self._indexes = {name: (function, _Index[T]()) for name, function in indexes.items()}
        self._subscribers: list[Callable[[T | None, T | None], None]] = []
        self.version = 0
        """Raised with each change of a record, for those who remember what they made of them."""
        self.passed = 0
        """The newest resourceVersion that the watch, or a list, is known to have passed."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, namespace: str, name: str) -> T | None:
        """Return the record of one object, or None."""
        entry = self._entries.get((namespace, name))
        return None if entry is None else entry.record

    def resource_version(self, namespace: str, name: str) -> str | None:
        """Return the version that the record was made from, or None."""
        entry = self._entries.get((namespace, name))
        return None if entry is None else str(entry.version)

    def all(self) -> list[T]:
        """Return all records."""
        return [entry.record for entry in self._entries.values()]

    def in_namespace(self, namespace: str) -> list[T]:
        """Return the records of one namespace."""
        return list(self._namespaces.get(namespace, {}).values())

    def by_index(self, index: str, key: Hashable) -> list[T]:
        """Return the records that the named index function gave this key."""
        return list(self._indexes[index][1].get(key, {}).values())

    def subscribe(self, callback: Callable[[T | None, T | None], None]) -> None:
        """Have `callback(old, new)` called after each change; None stands for no object."""
        self._subscribers.append(callback)

    def put(self, obj: Object) -> bool:
        """Take in what a write or a live read of ours answered; return whether it was news."""
        key, version, uid = _identity(obj)
        if key not in self._entries and version <= self.passed:
            return False
        return self._take(key, version, uid, obj)

    def remove(self, *, namespace: str, name: str, uid: str) -> bool:
        """Take out what our own delete has removed; return whether it was still here.

        What was deleted unseen, before any event or answer brought it here, comes and goes again
        with the watch.
        """
        key = (namespace, name)
        entry = self._entries.get(key)
        if entry is None or entry.uid != uid:
            return False
        self._buried[key] = (uid, entry.version)
        self._drop(key)
        return True

    def observe(self, kind: str, obj: Object) -> None:
        """Take in one watch event: ADDED, MODIFIED, DELETED or BOOKMARK."""
        if kind == "BOOKMARK":
            self.passed = max(self.passed, int(obj["metadata"]["resourceVersion"]))
            return
        key, version, uid = _identity(obj)
        self.passed = max(self.passed, version)
        if kind == "DELETED":
            self._end(key, version, uid)
        else:
            self._take(key, version, uid, obj)

    def load(self, objects: Iterable[Object]) -> set[Key]:
        """Take in a page of a list and return the keys that stood on it."""
        seen = set()
        for obj in objects:
            key, version, uid = _identity(obj)
            seen.add(key)
            self._take(key, version, uid, obj)
        return seen

    def sweep(self, seen: set[Key], resource_version: int) -> None:
        """Take out what a whole list of that version lacks, unless it is newer than the list."""
        self.passed = max(self.passed, resource_version)
        self._buried = {key: end for key, end in self._buried.items() if key in seen}
        for key, entry in list(self._entries.items()):
            if key not in seen and entry.version <= resource_version:
                self._drop(key)

    def replace(self, objects: Iterable[Object], resource_version: int) -> None:
        """Take in a whole list of that version: `load`, then `sweep`."""
        self.sweep(self.load(objects), resource_version)

    def clear(self) -> None:
        """Take out everything: the resource itself is gone."""
        self._buried.clear()
        for key in list(self._entries):
            self._drop(key)

    def _take(self, key: Key, version: int, uid: str, obj: Object) -> bool:
        old = self._entries.get(key)
        if old is not None and version <= old.version:
            return False
        if self._buried and key in self._buried:
            ended, until = self._buried[key]
            if uid == ended or version <= until:
                return False
            del self._buried[key]
        record = self._trim(obj)
        if old is not None and old.record == record:
            self._entries[key] = _Entry(version, uid, old.record)
            return True
        self._entries[key] = _Entry(version, uid, record)
        self._changed(key, None if old is None else old.record, record)
        return True

    def _end(self, key: Key, version: int, uid: str) -> None:
        if key in self._buried and self._buried[key][0] == uid:
            del self._buried[key]
        entry = self._entries.get(key)
        if entry is not None and entry.version <= version:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        self._changed(key, self._entries.pop(key).record, None)

    def _changed(self, key: Key, old: T | None, new: T | None) -> None:
        self._file(key, old, new)
        self.version += 1
        for callback in self._subscribers:
            callback(old, new)

    def _file(self, key: Key, old: T | None, new: T | None) -> None:
        if new is None:
            _unfile(self._namespaces, key[0], key)
        else:
            self._namespaces[key[0]][key] = new
        for function, index in self._indexes.values():
            before = () if old is None else tuple(function(old))
            after = {} if new is None else dict.fromkeys(function(new))
            for value in before:
                if value not in after:
                    _unfile(index, value, key)
            if new is not None:
                for value in after:
                    index[value][key] = new


class _Index(dict[Hashable, dict[Key, T]]):
    """For each index key, the records that carry it."""

    def __missing__(self, value: Hashable) -> dict[Key, T]:
        records: dict[Key, T] = {}
        self[value] = records
        return records


def _unfile(index: dict[Hashable, dict[Key, T]], value: Hashable, key: Key) -> None:
    records = index.get(value)
    if records is not None and records.pop(key, None) is not None and not records:
        del index[value]


def _identity(obj: Object) -> tuple[Key, int, str]:
    metadata = obj["metadata"]
    key = (metadata.get("namespace", ""), metadata["name"])
    return key, int(metadata["resourceVersion"]), metadata.get("uid", "")
