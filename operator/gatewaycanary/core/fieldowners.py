"""Ownership of fields that users hold: left as it was found.

A write puts an entry of ours into ``metadata.managedFields``, and takes the field from whoever
applied it. On an object that a user's tool applies, that makes the tool's next apply a conflict, so
our entry is taken out again by one more patch, which gives the field back to those who held it. The
tool's next apply then goes on as if we had never been there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gatewaycanary.api.status import FieldOwner
from gatewaycanary.core.naming import FIELD_MANAGER
from gatewaycanary.core.writes import JsonPatch, Object, Operation, pointer

Entry = Mapping[str, Any]


def claims(obj: Object) -> bool:
    """Tell whether an entry of ours is left in the object's managedFields."""
    return any(entry.get("manager") == FIELD_MANAGER for entry in _entries(obj))


def owners(obj: Object, *field: str) -> tuple[FieldOwner, ...]:
    """Name those who hold a field, us left out."""
    return tuple(
        FieldOwner(
            manager=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            api_version=entry.get("apiVersion", ""),
            time=entry.get("time", ""),
        )
        for entry in _entries(obj)
        if entry.get("manager") != FIELD_MANAGER and _holds(entry, field)
    )


def disown_patch(
    obj: Object,
    *,
    api_version: str,
    kind: str,
    held: tuple[str, ...] = (),
    owners: tuple[FieldOwner, ...] = (),
) -> JsonPatch | None:
    """Build the write that takes our entries out of the object's managedFields.

    ``held`` is a field that we have written; unless somebody else holds it now, it is given back to
    ``owners``.
    """
    entries = _entries(obj)
    ours = [index for index, entry in enumerate(entries) if entry.get("manager") == FIELD_MANAGER]
    if not ours:
        return None
    others = [entry for entry in entries if entry.get("manager") != FIELD_MANAGER]
    operations: list[Operation] = []
    if not any(_holds(entry, held) for entry in others):
        operations += [each for one in owners for each in _given_back(entries, one, held)]
    operations += _taken_out(ours, all_of_them=not others and not operations)
    metadata = obj["metadata"]
    return JsonPatch(
        api_version=api_version,
        kind=kind,
        namespace=metadata["namespace"],
        name=metadata["name"],
        operations=tuple(operations),
    )


def _entries(obj: Object) -> list[Entry]:
    return list(obj["metadata"].get("managedFields") or ())


def _holds(entry: Entry, field: tuple[str, ...]) -> bool:
    node: Any = entry.get("fieldsV1")
    for part in field:
        node = node.get(f"f:{part}") if isinstance(node, Mapping) else None
    return node is not None and bool(field)


def _given_back(
    entries: list[Entry], owner: FieldOwner, held: tuple[str, ...]
) -> Iterator[Operation]:
    index = next((at for at, entry in enumerate(entries) if _is(entry, owner)), None)
    if index is None:
        entry = {
            "manager": owner.manager,
            "operation": owner.operation,
            "apiVersion": owner.api_version,
            "time": owner.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _nested(held),
        }
        yield {"op": "add", "path": pointer("metadata", "managedFields", "-"), "value": entry}
        return
    spot = ("metadata", "managedFields", index)
    yield {"op": "test", "path": pointer(*spot, "manager"), "value": owner.manager}
    yield {"op": "test", "path": pointer(*spot, "operation"), "value": owner.operation}
    node: Any = entries[index].get("fieldsV1") or {}
    path: tuple[str | int, ...] = (*spot, "fieldsV1")
    for at, part in enumerate(held):
        path = (*path, f"f:{part}")
        if f"f:{part}" not in node:
            yield {"op": "add", "path": pointer(*path), "value": _nested(held[at + 1 :])}
            return
        node = node[f"f:{part}"]


def _is(entry: Entry, owner: FieldOwner) -> bool:
    found = (entry.get("manager"), entry.get("operation"), entry.get("subresource", ""))
    return found == (owner.manager, owner.operation, "")


def _nested(path: Iterable[str]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for part in reversed(tuple(path)):
        nested = {f"f:{part}": nested}
    return nested


def _taken_out(ours: list[int], *, all_of_them: bool) -> Iterator[Operation]:
    if all_of_them:
        # NB: the API server takes an empty list for none sent, an empty entry for an empty list.
        yield {"op": "test", "path": "/metadata/managedFields/0/manager", "value": FIELD_MANAGER}
        yield {"op": "replace", "path": "/metadata/managedFields", "value": [{}]}
        return
    # NB: from the last, so that the indices before it stay true.
    for index in reversed(ours):
        spot = ("metadata", "managedFields", index)
        yield {"op": "test", "path": pointer(*spot, "manager"), "value": FIELD_MANAGER}
        yield {"op": "remove", "path": pointer(*spot)}
