"""Send writes that were decided as values, and put their answers into the caches.

Every send is idempotent: an object that is already there, or already gone, is looked at again
rather than written again.
"""

from __future__ import annotations

from gatewaycanary.core.writes import Create, Delete, JsonPatch, Write
from gatewaycanary.engine.caches import Caches
from gatewaycanary.kube.client import Client, is_gone
from gatewaycanary.kube.errors import AlreadyExistsError, ConflictError, NotFoundError, SpecError
from gatewaycanary.kube.resources import Object, Resource, find


def resource_of(api_version: str, kind: str) -> Resource:
    """Find the resource of a manifest.

    Raises:
        SpecError: the operator has nothing to do with such a kind.
    """
    resource = find(api_version, kind)
    if resource is None:
        message = f"{api_version} {kind} is not a kind that is written"
        raise SpecError(message)
    return resource


class Writer:
    """Send one write at a time for whoever asks."""

    def __init__(self, *, client: Client, caches: Caches) -> None:
        self._client = client
        self._caches = caches

    async def send(self, write: Write, *, urgent: bool = False) -> Object | None:
        """Send a write; give the object as it is now, None where it is gone."""
        match write:
            case Create():
                return await self.create(write)
            case JsonPatch():
                return await self._patch(write, urgent=urgent)
            case Delete():
                return await self.delete(write)

    async def create(self, write: Create) -> Object:
        """Create an object, or give the one that has its name."""
        resource = resource_of(write.api_version, write.kind)
        try:
            answer = await self._client.create(
                resource, dict(write.manifest), namespace=write.namespace
            )
        except AlreadyExistsError:
            answer = await self._client.get(resource, namespace=write.namespace, name=write.name)
        self._caches.put(write.kind, answer)
        return answer

    async def _patch(self, write: JsonPatch, *, urgent: bool) -> Object:
        resource = resource_of(write.api_version, write.kind)
        answer = await self._client.json_patch(
            resource,
            [dict(operation) for operation in write.operations],
            namespace=write.namespace,
            name=write.name,
            urgent=urgent,
        )
        self._caches.put(write.kind, answer)
        return answer

    async def delete(self, write: Delete) -> Object | None:
        """Delete an object if it still has this uid; give what is left of it."""
        resource = resource_of(write.api_version, write.kind)
        try:
            answer = await self._client.delete(
                resource, namespace=write.namespace, name=write.name, uid=write.uid
            )
        except ConflictError as error:
            if not _another_has_its_name(error):
                raise
            answer = {"kind": "Status"}
        if is_gone(answer):
            self._caches.remove(
                write.kind, namespace=write.namespace, name=write.name, uid=write.uid
            )
            return None
        self._caches.put(write.kind, answer)
        return answer


def _another_has_its_name(error: ConflictError) -> bool:
    """Tell whether the object that was to go is gone: nothing has its name, or another uid has."""
    return isinstance(error, NotFoundError) or "uid in precondition" in error.message.lower()
