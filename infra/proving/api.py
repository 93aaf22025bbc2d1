"""A small synchronous client of the Kubernetes API.

One keep-alive connection a thread. A watch has a connection of its own, which another thread may
close; that is how a recording ends without waiting for an event.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from gatewaycanary.kube.resources import Object, Resource

NAMESPACE = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
_TIMEOUT = 30.0


class RefusedError(Exception):
    """Raised when the API server answers with something other than success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Api:
    """Talk to one API server as one user."""

    def __init__(self, *, server: str, context: ssl.SSLContext, authority: bytes) -> None:
        self.server = server
        self.authority = authority
        self._context = context
        self._address = urlsplit(server)
        self._local = threading.local()

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Api:
        """Connect as the current context's user, who must have a client certificate."""
        config = yaml.safe_load(path.read_text())
        current = _named(config["contexts"], config["current-context"], "context")
        cluster = _named(config["clusters"], current["cluster"], "cluster")
        user = _named(config["users"], current["user"], "user")
        authority = _material(cluster, "certificate-authority")
        context = ssl.create_default_context(cadata=authority.decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(_material(user, "client-certificate") + b"\n")
            pair.write(_material(user, "client-key"))
            pair.flush()
            context.load_cert_chain(pair.name)
        return cls(server=cluster["server"], context=context, authority=authority)

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """Read one object."""
        return self.request("GET", resource.path(namespace=namespace, name=name))

    def find(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        """Read one object, or None where there is none."""
        try:
            return self.get(resource, name, namespace)
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise

    def list(self, resource: Resource, namespace: str | None = None, selector: str = "") -> Object:
        """Read a collection, with its resourceVersion."""
        query = {"labelSelector": selector} if selector else {}
        return self.request("GET", resource.path(namespace=namespace), query=query)

    def serves(self, resource: Resource) -> bool:
        """Tell whether the API server has this kind now.

        NB: a CRD that was just installed answers 404 for a while, and then 429 while its storage
        is made ready.
        """
        try:
            self.list(resource)
        except RefusedError as refused:
            if refused.status in (404, 429):
                return False
            raise
        return True

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """Create an object."""
        return self.request("POST", resource.path(namespace=namespace), body)

    def merge(self, resource: Resource, name: str, body: Object, namespace: str) -> Object:
        """Change an object by a merge patch."""
        path = resource.path(namespace=namespace, name=name)
        return self.request("PATCH", path, body, content=MERGE)

    def apply(
        self, resource: Resource, body: Object, namespace: str | None = None, manager: str = "ci"
    ) -> Object:
        """Apply an object server-side, taking over contested fields."""
        path = resource.path(namespace=namespace, name=body["metadata"]["name"])
        query = {"fieldManager": manager, "force": "true"}
        return self.request("PATCH", path, body, content=APPLY, query=query)

    def delete(
        self, resource: Resource, name: str, namespace: str | None = None, **options: Any
    ) -> None:
        """Delete an object; one that is gone already counts as done."""
        try:
            self.request("DELETE", resource.path(namespace=namespace, name=name), options or None)
        except RefusedError as refused:
            if refused.status != 404:
                raise

    def request(
        self,
        verb: str,
        path: str,
        body: Object | Sequence[Object] | None = None,
        *,
        content: str = "application/json",
        query: Mapping[str, str] = {},
    ) -> Object:
        """Send one request and read its JSON; one that is put off is sent again when asked for."""
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Content-Type": content, "Accept": "application/json"}
        data = None if body is None else json.dumps(body)
        patience = time.monotonic() + _TIMEOUT
        while True:
            response = self._exchange(verb, target, data, headers)
            # NB: with 429 nothing was done; it is the answer while a CRD's storage is made ready.
            if response.status != 429 or time.monotonic() > patience:
                return _answer(response)
            response.read()
            time.sleep(float(response.headers.get("Retry-After") or 1))

    def _exchange(
        self, verb: str, target: str, data: str | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        connection = self._connection(fresh=verb == "POST")
        try:
            return self._ask(connection, verb, target, data, headers)
        except (http.client.RemoteDisconnected, ConnectionError):
            # NB: a kept connection may have been closed meanwhile; what is idempotent goes again.
            if verb == "POST":
                raise
            connection = self._connection(fresh=True)
            return self._ask(connection, verb, target, data, headers)

    def _ask(
        self, connection: http.client.HTTPSConnection, *request: Any
    ) -> http.client.HTTPResponse:
        try:
            connection.request(*request)
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            # A connection that still owes an answer takes no other request.
            self.close()
            raise

    def close(self) -> None:
        """Close this thread's connection; a later request opens another."""
        kept: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if kept is not None:
            kept.close()
            del self._local.connection

    def watch(self, resource: Resource, namespace: str, version: str) -> Watch:
        """Watch a collection from a resourceVersion on."""
        query = urlencode({"watch": "1", "resourceVersion": version, "timeoutSeconds": "1800"})
        connection = self._connect(timeout=None)
        connection.request("GET", f"{resource.path(namespace=namespace)}?{query}")
        return Watch(connection, connection.getresponse())

    def _connection(self, *, fresh: bool) -> http.client.HTTPSConnection:
        kept: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if kept is not None and not fresh:
            return kept
        self.close()
        self._local.connection = self._connect(timeout=_TIMEOUT)
        connection: http.client.HTTPSConnection = self._local.connection
        return connection

    def _connect(self, *, timeout: float | None) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._address.hostname or "",
            self._address.port or 443,
            context=self._context,
            timeout=timeout,
        )


class Watch:
    """One open watch; iterate over it, close it from anywhere."""

    def __init__(
        self, connection: http.client.HTTPSConnection, response: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._response = response
        if response.status != 200:
            _answer(response)

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        """Yield each event's type and object until the server or `close` ends the watch."""
        with suppress(OSError, http.client.HTTPException, ValueError):
            while line := self._response.readline():
                event = json.loads(line)
                yield event["type"], event["object"]
        self._response.close()
        self._connection.close()

    def close(self) -> None:
        """End the watch, also while another thread reads from it."""
        with suppress(OSError):
            if self._connection.sock is not None:
                self._connection.sock.shutdown(socket.SHUT_RDWR)


def _answer(response: http.client.HTTPResponse) -> Object:
    text = response.read()
    try:
        parsed: Object = json.loads(text)
    except ValueError:
        parsed = {"message": text.decode(errors="replace")}
    if response.status >= 300:
        raise RefusedError(response.status, str(parsed.get("message", "")))
    return parsed


def _named(entries: list[dict[str, Any]], name: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry[key] for entry in entries if entry["name"] == name)
    return found


def _material(entry: Mapping[str, str], key: str) -> bytes:
    if f"{key}-data" in entry:
        return base64.b64decode(entry[f"{key}-data"])
    return Path(entry[key]).read_bytes()
