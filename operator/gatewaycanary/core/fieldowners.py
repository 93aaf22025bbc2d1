"""Ownership of fields that users hold: left as it was found.

A write puts an entry of ours into ``metadata.managedFields``, and takes the field from whoever
applied it. On an object that a user's tool applies, that makes the tool's next apply a conflict, so
our entry is taken out again by one more patch. The field then belongs to nobody, and the next apply
takes it back without a word.
"""

from __future__ import annotations

from gatewaycanary.core.naming import FIELD_MANAGER
from gatewaycanary.core.writes import JsonPatch, Object, Operation, pointer


def disown_patch(obj: Object, *, api_version: str, kind: str) -> JsonPatch | None:
    """Build the write that takes our entries out of the object's managedFields."""
    metadata = obj["metadata"]
    entries = metadata.get("managedFields") or ()
    ours = [index for index, entry in enumerate(entries) if entry.get("manager") == FIELD_MANAGER]
    if not ours:
        return None
    operations: list[Operation] = []
    # NB: from the last, so that the indices before it stay true.
    for index in reversed(ours):
        spot = ("metadata", "managedFields", index)
        operations.append({"op": "test", "path": pointer(*spot, "manager"), "value": FIELD_MANAGER})
        operations.append({"op": "remove", "path": pointer(*spot)})
    return JsonPatch(
        api_version=api_version,
        kind=kind,
        namespace=metadata["namespace"],
        name=metadata["name"],
        operations=tuple(operations),
    )
