"""The verbs of the API, in raw JSON: dicts in, dicts out, no models.

Reads and writes take the object's place by keyword. `urgent=True` overtakes other requests at the
limiter. A client made by `fenced` sends a write only while its fence lets it.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import orjson

from gatewaycanary.kube.errors import UnreachableError, from_status
from gatewaycanary.kube.lines import Lines
from gatewaycanary.kube.resources import POD, Object, Resource
from gatewaycanary.kube.transport import JSON_PATCH, Fence, Request, Transport

Propagation = Literal["Background", "Foreground", "Orphan"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


def is_gone(answer: Object) -> bool:
    """Return whether a delete's answer says that the object is gone, not only on its way out."""
    if answer.get("kind") == "Status":
        return True
    metadata = answer["metadata"]
    return not metadata.get("finalizers") and not metadata.get("deletionGracePeriodSeconds")


class Client:
    """Read and write objects through one transport."""

    def __init__(
        self,
        transport: Transport,
        *,
        field_manager: str = "gatewaycanary",
        timeout: float = 10.0,
        fence: Fence | None = None,
    ) -> None:
        self._transport = transport
        self._field_manager = field_manager
        self._timeout = timeout
        self._fence = fence

    def fenced(self, fence: Fence) -> "Client":
        """Return a client on the same connections whose writes ask `fence` first."""
        return Client(
            self._transport,
            field_manager=self._field_manager,
            timeout=self._timeout,
            fence=fence,
        )

    async def get(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        name: str,
        urgent: bool = False,
    ) -> Object:
        """Return one object, as it is now."""
        return await self._send(
            "GET", "get", resource, namespace=namespace, name=name, urgent=urgent
        )

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: str | None = None,
        limit: int | None = None,
        page: str | None = None,
    ) -> Object:
        """Return a list; `metadata.continue` names the next `page` if `limit` cut it."""
        query = _query(
            labelSelector=label_selector,
            fieldSelector=field_selector,
            resourceVersion=resource_version,
            limit=limit,
            **{"continue": page},
        )
        answer = await self._send(
            "GET",
            "list",
            resource,
            namespace=namespace,
            query=query,
            accept=_accept(resource, "List"),
        )
        # NB: where only metadata is asked for, an empty list is null.
        if answer.get("items", ()) is None:
            answer["items"] = []
        return answer

    async def logs(
        self,
        *,
        namespace: str,
        name: str,
        container: str | None = None,
        tail_lines: int,
        limit_bytes: int = 65536,
    ) -> str:
        """Return the end of the log of a pod's container."""
        request = self._request(
            "GET",
            "get",
            POD,
            namespace=namespace,
            name=name,
            subresource="log",
            query=_query(container=container, tailLines=tail_lines, limitBytes=limit_bytes),
            accept="*/*",
        )
        return (await self._transport.send(request)).decode(errors="replace")

    async def create(
        self,
        resource: Resource,
        obj: Mapping[str, Any],
        *,
        namespace: str | None = None,
        field_manager: str | None = None,
        urgent: bool = False,
    ) -> Object:
        """Create an object; raise AlreadyExistsError if its name is taken."""
        return await self._send(
            "POST",
            "create",
            resource,
            namespace=namespace,
            body=obj,
            query={"fieldManager": field_manager or self._field_manager},
            urgent=urgent,
        )

    async def json_patch(
        self,
        resource: Resource,
        operations: Sequence[Mapping[str, Any]],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
        field_manager: str | None = None,
        urgent: bool = False,
    ) -> Object:
        """Apply RFC 6902 operations; raise ConflictError if a `test` or a path does not hold."""
        return await self._send(
            "PATCH",
            "patch",
            resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=operations,
            content_type=JSON_PATCH,
            query={"fieldManager": field_manager or self._field_manager},
            urgent=urgent,
        )

    async def merge_patch(
        self,
        resource: Resource,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
        field_manager: str | None = None,
        urgent: bool = False,
    ) -> Object:
        """Apply an RFC 7386 patch; with `metadata.resourceVersion` in it, compare and set."""
        return await self._send(
            "PATCH",
            "patch",
            resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=patch,
            content_type="application/merge-patch+json",
            query={"fieldManager": field_manager or self._field_manager},
            urgent=urgent,
        )

    async def apply(
        self,
        resource: Resource,
        obj: Mapping[str, Any],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
        field_manager: str | None = None,
        force: bool = False,
        urgent: bool = False,
    ) -> Object:
        """Apply server-side; raise ConflictError if another owns a field and `force` is off."""
        return await self._send(
            "PATCH",
            "patch",
            resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=obj,
            content_type="application/apply-patch+yaml",
            query={
                "fieldManager": field_manager or self._field_manager,
                "force": "true" if force else "false",
            },
            urgent=urgent,
        )

    async def delete(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        name: str,
        propagation: Propagation = "Background",
        uid: str | None = None,
        resource_version: str | None = None,
        urgent: bool = False,
    ) -> Object:
        """Delete an object; `is_gone` reads the answer; another uid is a ConflictError."""
        return await self._send(
            "DELETE",
            "delete",
            resource,
            namespace=namespace,
            name=name,
            body={
                "propagationPolicy": propagation,
                "preconditions": _query(uid=uid, resourceVersion=resource_version),
            },
            urgent=urgent,
        )

    async def delete_collection(
        self,
        resource: Resource,
        *,
        namespace: str,
        label_selector: str,
        propagation: Propagation = "Background",
    ) -> Object:
        """Delete all objects of a namespace that the selector names."""
        return await self._send(
            "DELETE",
            "deletecollection",
            resource,
            namespace=namespace,
            body={"propagationPolicy": propagation},
            query={"labelSelector": label_selector},
        )

    async def watch(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        resource_version: str,
        label_selector: str | None = None,
        field_selector: str | None = None,
        seconds: int,
        inactivity: float,
    ) -> AsyncGenerator[Object, None]:
        """Yield watch events, bookmarks too, until the server ends the stream.

        An ERROR event is raised as its error (GoneError for a version that is no longer kept), and
        a stream that broke, or brought nothing for `inactivity` seconds, as UnreachableError.
        Close it with `contextlib.aclosing`.
        """
        query = _query(
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=resource_version,
            labelSelector=label_selector,
            fieldSelector=field_selector,
            timeoutSeconds=seconds,
        )
        request = self._request(
            "GET", "watch", resource, namespace=namespace, query=query, accept=_accept(resource)
        )
        lines = Lines()
        async with self._transport.stream(request, inactivity=inactivity) as chunks:
            async for chunk in chunks:
                for line in lines.feed(chunk):
                    yield _event(line)

    async def _send(
        self,
        method: str,
        verb: str,
        resource: Resource,
        *,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
        query: Mapping[str, str] = _NOTHING,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        urgent: bool = False,
    ) -> Object:
        request = self._request(
            method,
            verb,
            resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            query=query,
            body=None if body is None else orjson.dumps(body),
            content_type=content_type,
            accept=accept,
            urgent=urgent,
        )
        fence = None if method == "GET" else self._fence
        return _parse(await self._transport.send(request, fence=fence))

    def _request(
        self,
        method: str,
        verb: str,
        resource: Resource,
        *,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
        query: Mapping[str, str],
        **more: Any,
    ) -> Request:
        plural = resource.plural
        return Request(
            method=method,
            verb=verb,
            resource=f"{plural}/{subresource}" if subresource else plural,
            path=resource.path(namespace=namespace, name=name, subresource=subresource),
            query=query,
            timeout=self._timeout,
            **more,
        )


def _query(**values: str | int | None) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _accept(resource: Resource, suffix: str = "") -> str:
    if not resource.metadata_only:
        return "application/json"
    return f"application/json;as=PartialObjectMetadata{suffix};g=meta.k8s.io;v=v1"


def _event(line: bytes) -> Object:
    event = _parse(line)
    if event["type"] == "ERROR":
        status = event["object"]
        raise from_status(status.get("code", 500), status)
    return event


def _parse(raw: bytes) -> Object:
    try:
        parsed: Object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UnreachableError(f"an answer that is not JSON: {raw[:80]!r}") from error
    return parsed
