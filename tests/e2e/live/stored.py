"""The conformance cases' documents, stored by a real API server.

The cases speak of one namespace, by its name; here that name stands for a namespace of the test's
own. What people do goes out under another manager's name than what the provider does, and after
every write of the provider its entry is taken out of a person's object, as the engine does it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.documents import Documents, Key, WriteError
from conformance.nginx import NAMESPACE
from conformance.stages import Stage
from gatewaycanary.core.naming import FIELD_MANAGER
from gatewaycanary.core.writes import Create, Delete, JsonPatch, Object, Write
from gatewaycanary.kube.resources import (
    DESTINATION_RULE,
    HTTP_ROUTE,
    INGRESS,
    SERVICE,
    VIRTUAL_SERVICE,
    Resource,
)
from proving import routes
from proving.api import Api, RefusedError

JSON_PATCH = "application/json-patch+json"
PERSON = "somebody"
CONFLICTS = {409, 422}
RESOURCES = {
    each.kind: each for each in (INGRESS, SERVICE, VIRTUAL_SERVICE, DESTINATION_RULE, HTTP_ROUTE)
}


class StoredDocuments(Documents):
    """Objects in one namespace of an API server; nothing is remembered here."""

    def __init__(self, api: Api, namespace: str, objects: Iterable[Object]) -> None:
        super().__init__()
        self._api = api
        self._here = namespace
        self._made: list[Key] = []
        self.afterwards: Callable[[], None] = _nothing
        for obj in objects:
            self._create_as(obj, PERSON)

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """Read the object, or None."""
        resource = RESOURCES.get(kind)
        if resource is None or namespace != NAMESPACE:
            return None
        found = self._api.find(resource, name, self._here)
        return None if found is None else self._told(resource, found)

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Read all objects of the kind."""
        return self._all(kind) if namespace == NAMESPACE else ()

    def snapshot(self) -> dict[Key, dict[str, Any]]:
        """Copy what is stored, owners included; versions, times and gateways' words left out."""
        found = {}
        for kind in RESOURCES:
            for each in self._all(kind):
                owners = [entry | {"time": ""} for entry in routes.owners(each)]
                owned = {**routes.content(each), "owners": owners}
                found[kind, NAMESPACE, each["metadata"]["name"]] = owned
        return found

    def apply(self, write: Write) -> None:
        """Send a write of the provider, or raise WriteError."""
        before = self.get(write.kind, write.namespace, write.name)
        self.send(write)
        after = self.get(write.kind, write.namespace, write.name)
        if before != after:
            self.history.append(((write.kind, write.namespace, write.name), after))
        self.afterwards()

    def send(self, write: Write, *, manager: str = FIELD_MANAGER) -> None:
        """Send any write under a manager's name."""
        try:
            match write:
                case Create():
                    self._create_as(write.manifest, manager)
                case JsonPatch():
                    self._patch_as(write, manager)
                case Delete():
                    options = {"preconditions": {"uid": write.uid}}
                    path = RESOURCES[write.kind].path(namespace=self._here, name=write.name)
                    self._api.request("DELETE", path, options)
        except RefusedError as refused:
            raise WriteError(refused.status, refused.message) from refused

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away as a person would."""
        self._api.delete(RESOURCES[kind], name, self._here)

    def edit(self, kind: str, namespace: str, name: str, *operations: Mapping[str, Any]) -> None:
        """Change an object as a person would."""
        resource = RESOURCES[kind]
        write = JsonPatch(
            api_version=resource.api_version,
            kind=kind,
            namespace=namespace,
            name=name,
            operations=operations,
        )
        self.send(write, manager=PERSON)

    def clear(self) -> None:
        """Remove every object that was made here."""
        for kind, _, name in self._made:
            self._api.delete(RESOURCES[kind], name, self._here)

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        if (resource := RESOURCES.get(kind)) is not None:
            for each in self._api.list(resource, self._here)["items"]:
                yield self._told(resource, each)

    def _create_as(self, manifest: Object, manager: str) -> None:
        body = copy.deepcopy(dict(manifest))
        body["metadata"]["namespace"] = self._here
        resource = RESOURCES[body["kind"]]
        path = resource.path(namespace=self._here)
        self._api.request("POST", path, body, query={"fieldManager": manager})
        self._made.append((body["kind"], NAMESPACE, body["metadata"]["name"]))

    def _patch_as(self, write: JsonPatch, manager: str) -> None:
        path = RESOURCES[write.kind].path(namespace=self._here, name=write.name)
        operations = [dict(each) for each in write.operations]
        query = {"fieldManager": manager}
        self._api.request("PATCH", path, operations, content=JSON_PATCH, query=query)

    def _told(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        obj["metadata"]["namespace"] = NAMESPACE
        return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}


def _nothing() -> None:
    return


@dataclass(kw_only=True)
class StoredStage(Stage):
    """A bench set up on an API server."""

    api: Api
    namespace: str

    def __post_init__(self) -> None:
        """Store the user's objects."""
        self.stored = StoredDocuments(self.api, self.namespace, self.manifests())
        self.stored.afterwards = self.disown
        self.documents = self.stored

    def manifests(self) -> Sequence[Object]:
        """Give the user's objects."""
        return self.bench.manifests()

    def disown(self) -> None:
        """Give a person's route back to its owner, as the engine does after each write."""
        taken = False
        while not taken:
            write = self.bench.provider.disown(self.context, self.documents)
            # NB: a gateway may write the status, and so the list of owners, meanwhile: look again.
            taken = write is None or self._sent(write)

    def _sent(self, write: Write) -> bool:
        try:
            self.stored.send(write)
        except WriteError as refused:
            if refused.code not in CONFLICTS:
                raise
            return False
        return True
