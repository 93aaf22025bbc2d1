"""One namespace: raw objects put in, read out into a lookup, and writes sent to it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewaycanary.core.lookups import tokens
from gatewaycanary.core.writes import Create, Delete, JsonPatch, Object, Write
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.resources import Resource, find


def resource_of(api_version: str, kind: str) -> Resource:
    """Find the resource of a kind that the operator knows."""
    found = find(api_version, kind)
    assert found is not None, (api_version, kind)
    return found


@dataclass(kw_only=True)
class Place:
    """A namespace. As a lookup it knows what was read last."""

    client: Client
    namespace: str
    _known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    async def put(self, manifest: Object, *, manager: str = "somebody") -> dict[str, Any]:
        """Create an object here, as another manager."""
        obj = self.here(manifest)
        resource = resource_of(obj["apiVersion"], obj["kind"])
        made = await self.client.create(
            resource, obj, namespace=self.namespace, field_manager=manager
        )
        return self._learn(obj["kind"], made)

    async def apply(self, manifest: Object, *, manager: str = "helm") -> dict[str, Any]:
        """Apply an object here server-side, without force, as a release tool does."""
        obj = self.here(manifest)
        resource = resource_of(obj["apiVersion"], obj["kind"])
        made = await self.client.apply(
            resource,
            obj,
            namespace=self.namespace,
            name=obj["metadata"]["name"],
            field_manager=manager,
        )
        return self._learn(obj["kind"], made)

    async def edit(self, obj: Object, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merge a change into an object, as another manager."""
        made = await self.client.merge_patch(
            resource_of(obj["apiVersion"], obj["kind"]),
            patch,
            namespace=self.namespace,
            name=obj["metadata"]["name"],
            field_manager="somebody",
        )
        return self._learn(obj["kind"], made)

    async def send(self, write: Write | None) -> dict[str, Any]:
        """Send a write and give the answer."""
        assert write is not None
        resource = resource_of(write.api_version, write.kind)
        match write:
            case Create():
                answer = await self.client.create(
                    resource, self.here(write.manifest), namespace=self.namespace
                )
            case JsonPatch():
                answer = await self.client.json_patch(
                    resource, write.operations, namespace=self.namespace, name=write.name
                )
            case Delete():
                answer = await self.client.delete(
                    resource, namespace=self.namespace, name=write.name, uid=write.uid
                )
                self._known.pop((write.kind, write.name), None)
                return answer
        return self._learn(write.kind, answer)

    def here(self, manifest: Object) -> dict[str, Any]:
        """Copy a manifest into this namespace."""
        obj = copy.deepcopy(dict(manifest))
        obj["metadata"]["namespace"] = self.namespace
        for owned in ("uid", "generation", "creationTimestamp"):
            obj["metadata"].pop(owned, None)
        return obj

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object as read last."""
        return self._known.get((kind, name)) if namespace == self.namespace else None

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Return the objects of a kind as read last."""
        found = [obj for (known, _), obj in self._known.items() if known == kind]
        return found if namespace == self.namespace else []

    def installed(self, kind: str) -> bool:
        """Tell that every kind is known."""
        return True

    def filed(self, kind: str, namespace: str, token: str) -> Iterable[Object]:
        """Return the objects that are filed under the token."""
        return [obj for obj in self.list(kind, namespace) if token in tokens(kind, obj)]

    def _learn(self, kind: str, obj: dict[str, Any]) -> dict[str, Any]:
        self._known[kind, obj["metadata"]["name"]] = obj
        return obj
