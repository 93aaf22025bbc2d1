"""An API in memory behind the real client, for faults that a real server gives on no demand."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

import orjson

from conformance.documents import WriteError, patch
from gatewaycanary.engine.caches import Caches
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ThrottledError,
)
from gatewaycanary.kube.resources import ALL, Object
from gatewaycanary.kube.transport import JSON_PATCH, Fence, Request, Transport

Place = tuple[str, str, str]
"""Kind, namespace and name."""


def taken() -> AlreadyExistsError:
    """Say that the name is taken."""
    return AlreadyExistsError(409, "AlreadyExists", "already exists")


def stale() -> ConflictError:
    """Say that the object was changed meanwhile."""
    return ConflictError(409, "Conflict", "the object has been modified")


def missing() -> NotFoundError:
    """Say that there is no such object."""
    return NotFoundError(404, "NotFound", "not found")


def forbidden(message: str = "may not") -> ForbiddenError:
    """Say that it is not allowed."""
    return ForbiddenError(403, "Forbidden", message)


def throttled(seconds: float) -> ThrottledError:
    """Ask for patience."""
    return ThrottledError(429, "TooManyRequests", "slow down", None, seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as the fake API read it; the kind of a subresource ends in its name."""

    verb: str
    kind: str
    name: str
    urgent: bool
    body: Any


class FakeApi(Transport):
    """Hold objects, note each request, and raise what a test has laid ready for a verb and kind.

    An object with finalizers outlives its deletion until a write takes the last of them away.
    """

    def __init__(self) -> None:
        self.objects: dict[Place, Object] = {}
        self.calls: list[Call] = []
        self.log = "the log"
        self._faults: dict[tuple[str, str], list[Exception]] = {}
        self._versions = count(100)

    def add(self, obj: Mapping[str, Any]) -> Object:
        """Store an object as if it had always been there."""
        stored: Object = copy.deepcopy(dict(obj))
        metadata = stored["metadata"]
        metadata.setdefault("uid", f"uid-of-{metadata['name']}")
        metadata["resourceVersion"] = str(next(self._versions))
        self.objects[stored["kind"], metadata["namespace"], metadata["name"]] = stored
        return copy.deepcopy(stored)

    def fail(self, verb: str, kind: str, *errors: Exception) -> None:
        """Have the next requests of a verb on a kind fail so."""
        self._faults.setdefault((verb, kind), []).extend(errors)

    def verbs(self) -> list[tuple[str, str]]:
        """Give the verb and kind of each request so far."""
        return [(call.verb, call.kind) for call in self.calls]

    async def send(self, request: Request, *, fence: Fence | None = None) -> bytes:
        """Answer a request."""
        if fence is not None:
            fence()
        kind, namespace, name, subresource = _place(request.path)
        body = None if request.body is None else orjson.loads(request.body)
        shown = f"{kind}/{subresource}" if subresource else kind
        self.calls.append(Call(request.verb, shown, name, request.urgent, body))
        waiting = self._faults.get((request.verb, shown))
        if waiting:
            raise waiting.pop(0)
        if subresource == "log":
            return self.log.encode()
        return orjson.dumps(self._result(request, (kind, namespace, name), body))

    def _result(self, request: Request, place: Place, body: Any) -> Object:
        match request.verb:
            case "list":
                return self._list(request, place)
            case "create":
                return self._create(place, body)
            case "deletecollection":
                return self._delete_all(request, place)
        found = self.objects.get(place)
        if found is None:
            raise missing()
        if request.verb == "delete":
            return self._delete(place, found, body)
        return self._patch(request, found, body) if request.verb == "patch" else found

    def _list(self, request: Request, place: Place) -> Object:
        name = request.query.get("fieldSelector", "").partition("metadata.name=")[2]
        items = [
            self.objects[one] for one in self._selected(request, place) if name in ("", one[2])
        ]
        return {"metadata": {"resourceVersion": "1"}, "items": items}

    def _selected(self, request: Request, place: Place) -> list[Place]:
        """Find by labels; one that only has to be there is not asked for here."""
        selector = request.query.get("labelSelector", "").split(",")
        wanted = dict(pair.split("=") for pair in selector if "=" in pair)
        return [
            one
            for one, obj in self.objects.items()
            if one[:2] == place[:2]
            and wanted.items() <= (obj["metadata"].get("labels") or {}).items()
        ]

    def _create(self, place: Place, body: Object) -> Object:
        metadata = {**body["metadata"], "namespace": place[1]}
        if (place[0], place[1], metadata["name"]) in self.objects:
            raise taken()
        return self.add({**body, "metadata": metadata})

    def _patch(self, request: Request, found: Object, body: Any) -> Object:
        version = found["metadata"]["resourceVersion"]
        if request.content_type == JSON_PATCH:
            changed = _patched(found, body)
        else:
            changed = merged(found, body)
        if changed["metadata"]["resourceVersion"] != version:
            raise stale()
        stored = self.add(changed)
        metadata = stored["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            del self.objects[stored["kind"], metadata["namespace"], metadata["name"]]
        return stored

    def _delete(self, place: Place, found: Object, body: Any) -> Object:
        if body["preconditions"].get("uid") != found["metadata"]["uid"]:
            raise stale()
        if found["metadata"].get("finalizers"):
            going = {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
            return self.add({**found, "metadata": going})
        del self.objects[place]
        return {"kind": "Status"}

    def _delete_all(self, request: Request, place: Place) -> Object:
        return {"items": [self.objects.pop(one) for one in self._selected(request, place)]}


def _patched(found: Object, operations: Any) -> Object:
    try:
        return patch(found, operations)
    except WriteError as error:
        raise ConflictError(error.code, "Invalid", str(error)) from error


def _place(path: str) -> tuple[str, str, str, str]:
    """Read kind, namespace, name and subresource from a path."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    _, namespace, plural, *more = rest
    kind = next(resource.kind for resource in ALL if resource.plural == plural)
    name, subresource, *_ = (*more, "", "")
    return kind, namespace, name, subresource


def merged(target: Any, patch: Any) -> Any:
    """Apply a merge patch as RFC 7386 defines it."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def caches(api: FakeApi, *, namespaces: tuple[str, ...] = ()) -> Caches:
    """Give caches whose reflectors do not run."""
    return Caches(client=Client(api), namespaces=namespaces, rng=Random(1))


def hold(api: FakeApi, held: Caches, *objects: Mapping[str, Any]) -> list[Object]:
    """Have objects on the server and in the caches."""
    stored = [api.add(obj) for obj in objects]
    for obj in stored:
        held.put(obj["kind"], obj)
    return stored
