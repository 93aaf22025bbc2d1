"""Writes as values: what is to be sent, decided without sending it.

Pure functions build them, the engine sends them. A JSON patch says in its operations what it
takes for granted: one that replaces ``/metadata/resourceVersion`` fails on any newer version
(409), one with ``test`` operations fails only where that spot changed (422). Both mean: look again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
"""One Kubernetes object as raw JSON."""

Operation = Mapping[str, Any]
"""One operation of a JSON patch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Create the object of this manifest, which names its own apiVersion, kind and namespace."""

    manifest: Object

    @property
    def api_version(self) -> str:
        """Give what stands in the manifest's apiVersion."""
        return str(self.manifest["apiVersion"])

    @property
    def kind(self) -> str:
        """Give what stands in the manifest's kind."""
        return str(self.manifest["kind"])

    @property
    def namespace(self) -> str:
        """Give the manifest's namespace."""
        return str(self.manifest["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """Give the manifest's name."""
        return str(self.manifest["metadata"]["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPatch:
    """Change an object by these operations, all or none."""

    api_version: str
    kind: str
    namespace: str
    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete the object of this name, if it still has this uid."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


Write = Create | JsonPatch | Delete


def pointer(*parts: str | int) -> str:
    """Write a JSON pointer; each part is escaped."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
