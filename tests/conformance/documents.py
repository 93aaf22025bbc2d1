"""A store of raw objects that takes writes as an API server does, as far as routes need.

A JSON patch is all or nothing (RFC 6902: add, remove, replace, test). One that replaces
``/metadata/resourceVersion`` by anything but the stored version is stale (409), one whose ``test``
fails or whose path leads nowhere is refused (422). Each write that changes something raises the
version, and every version ever stored is kept.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from gatewaycanary.core.lookups import tokens
from gatewaycanary.core.writes import Create, Delete, JsonPatch, Object, Write

Key = tuple[str, str, str]


class WriteError(Exception):
    """Raised when a write is not taken; ``code`` is what an API server would answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Documents:
    """Objects by kind, namespace and name."""

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._objects: dict[Key, dict[str, Any]] = {}
        self._version = 0
        self.unknown: set[str] = set()
        self.history: list[tuple[Key, dict[str, Any] | None]] = []
        for obj in objects:
            self.apply(Create(manifest=obj))

    def installed(self, kind: str) -> bool:
        """Tell whether the kind is known."""
        return kind not in self.unknown

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """Return the object, or None."""
        return self._objects.get((kind, namespace, name))

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Return all objects of the kind in the namespace."""
        return [
            obj
            for (one, place, _), obj in self._objects.items()
            if (one, place) == (kind, namespace)
        ]

    def filed(self, kind: str, namespace: str, token: str) -> Iterable[Object]:
        """Return the objects that are filed under the token."""
        return [obj for obj in self.list(kind, namespace) if token in tokens(kind, obj)]

    def snapshot(self) -> dict[Key, dict[str, Any]]:
        """Copy what is stored, without versions and generations."""
        copied = copy.deepcopy(self._objects)
        for obj in copied.values():
            del obj["metadata"]["resourceVersion"]
            obj["metadata"].pop("generation", None)
        return copied

    def apply(self, write: Write) -> None:
        """Take a write, or raise WriteError and leave all as it was."""
        match write:
            case Create():
                self._create(write)
            case JsonPatch():
                self._patch(write)
            case Delete():
                self._delete(write)

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away as a person would."""
        del self._objects[kind, namespace, name]

    def edit(self, kind: str, namespace: str, name: str, *operations: Mapping[str, Any]) -> None:
        """Change an object as a person would."""
        found = self._objects[kind, namespace, name]
        self._patch(
            JsonPatch(
                api_version=found["apiVersion"],
                kind=kind,
                namespace=namespace,
                name=name,
                operations=operations,
            )
        )

    def _create(self, write: Create) -> None:
        key = (write.kind, write.namespace, write.name)
        if key in self._objects:
            raise WriteError(409, f"{key} exists")
        obj = copy.deepcopy(dict(write.manifest))
        obj["metadata"].setdefault("uid", f"uid-{self._version + 1}")
        self._store(key, obj)

    def _patch(self, write: JsonPatch) -> None:
        key = (write.kind, write.namespace, write.name)
        if key not in self._objects:
            raise WriteError(404, f"{key} is not there")
        stored = self._objects[key]
        patched = patch(stored, write.operations)
        if patched["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"]:
            raise WriteError(409, f"{key} has a newer version")
        if patched != stored:
            if patched.get("spec") != stored.get("spec"):
                metadata = patched["metadata"]
                metadata["generation"] = metadata.get("generation", 1) + 1
            self._store(key, patched)

    def _delete(self, write: Delete) -> None:
        key = (write.kind, write.namespace, write.name)
        if key not in self._objects:
            raise WriteError(404, f"{key} is not there")
        if self._objects[key]["metadata"]["uid"] != write.uid:
            raise WriteError(409, f"{key} has another uid")
        del self._objects[key]
        self.history.append((key, None))

    def _store(self, key: Key, obj: dict[str, Any]) -> None:
        self._version += 1
        obj["metadata"]["resourceVersion"] = str(self._version)
        self._objects[key] = obj
        self.history.append((key, copy.deepcopy(obj)))


def patch(document: Object, operations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Apply a JSON patch to a copy of the document."""
    patched = copy.deepcopy(dict(document))
    for operation in operations:
        _perform(patched, operation)
    return patched


def _perform(document: dict[str, Any], operation: Mapping[str, Any]) -> None:
    path = operation["path"]
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    holder: Any = document
    for part in parts[:-1]:
        holder = _member(holder, part, path)
    last = parts[-1]
    kind = operation["op"]
    if kind == "test":
        # NB: the API server's library lets a test for null pass where nothing stands.
        absent = operation["value"] is None and isinstance(holder, dict) and last not in holder
        if not absent and _member(holder, last, path) != operation["value"]:
            raise WriteError(422, f"the test of {path} failed")
    elif kind == "add" and isinstance(holder, list):
        holder.insert(len(holder) if last == "-" else int(last), operation["value"])
    elif kind == "add" and isinstance(holder, dict):
        holder[last] = copy.deepcopy(operation["value"])
    elif kind in ("replace", "remove"):
        _member(holder, last, path)
        spot: Any = int(last) if isinstance(holder, list) else last
        if kind == "remove":
            del holder[spot]
        else:
            holder[spot] = copy.deepcopy(operation["value"])
    else:
        raise WriteError(422, f"cannot {kind} {path}")


def _member(holder: Any, part: str, path: str) -> Any:
    try:
        return holder[int(part)] if isinstance(holder, list) else holder[part]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise WriteError(422, f"{path} leads nowhere") from error
