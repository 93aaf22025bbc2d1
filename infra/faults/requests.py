"""One request of the Kubernetes API, read from its method, path, query and body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Say what is asked, in the API's words.

    ``verb`` is as in RBAC, or ``discover`` for what is no object; ``resource`` is the plural, with
    its subresource if there is one (``pods/log``); ``name`` is empty for a collection.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""
    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def is_json_patch(self) -> bool:
        """Tell whether a failed test can refuse it."""
        return self.verb == "patch" and self.content_type.startswith("application/json-patch")

    @property
    def key(self) -> str:
        """Name the sequence that it belongs to: its verb and resource."""
        return f"{self.verb} {self.resource}"

    @property
    def address(self) -> str:
        """Name what it reads, query included."""
        asked = "&".join(f"{name}={value}" for name, value in sorted(self.query.items()))
        return f"{self.path}?{asked}"

    @property
    def target(self) -> tuple[str, str, str]:
        """Tell which requests are the same one, sent again: verb, path and a new object's name."""
        named = (self.content() or {}).get("metadata", {}) if self.verb == "create" else {}
        return self.verb, self.path, str(named.get("name", ""))

    def content(self) -> Any:
        """Give the body's JSON; None without a body."""
        return json.loads(self.body) if self.body else None


def read(
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    content_type: str = "",
    body: bytes = b"",
) -> Request:
    """Read a request; `path` is as it was sent, percent signs included."""
    asked = dict(query or {})
    namespace, resource, name, subresource = _place(path)
    return Request(
        method=method,
        path=path,
        query=asked,
        content_type=content_type,
        body=body,
        verb=_verb(method, name, asked) if resource else "discover",
        resource=f"{resource}/{subresource}" if subresource else resource,
        namespace=namespace,
        name=name,
    )


def _place(path: str) -> tuple[str, str, str, str]:
    """Give namespace, plural, name and subresource."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = (*rest, "", "", "")[:3]
    return namespace, resource, name, subresource


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    if method in _VERBS:
        return _VERBS[method]
    if query.get("watch") in {"1", "true"}:
        return "watch"
    return "get" if name else "list"
