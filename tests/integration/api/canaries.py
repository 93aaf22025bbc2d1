"""GatewayCanaries on a real API server: create, read, replace, and what it says when it refuses."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client

from gatewaycanary.api.crd import GROUP, KIND, PLURAL, VERSION

Object = dict[str, Any]
Causes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the API server said instead of storing an object."""

    code: int
    message: str
    causes: Causes


class RefusedError(Exception):
    """Raised when the API server refuses a write."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _refusal(error: client.ApiException) -> Refusal:
    status = json.loads(error.body or "{}")
    causes = status.get("details", {}).get("causes", ())
    return Refusal(
        code=error.status,
        message=status["message"],
        causes=tuple((cause.get("field", ""), cause["message"]) for cause in causes),
    )


@dataclass(frozen=True, slots=True)
class Canaries:
    """GatewayCanaries in one namespace of a real API server."""

    objects: client.CustomObjectsApi
    namespace: str
    place: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        place = {"group": GROUP, "version": VERSION, "namespace": self.namespace, "plural": PLURAL}
        object.__setattr__(self, "place", place)

    def create(self, spec: Object, *, name: str | None = None) -> Object:
        """Create one, strictly, as kubectl does."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": name or f"gateway-{uuid.uuid4().hex[:8]}"},
            "spec": spec,
        }
        return self._ask(
            self.objects.create_namespaced_custom_object, body=body, field_validation="Strict"
        )

    def read(self, name: str) -> Object:
        """Read one."""
        return self._ask(self.objects.get_namespaced_custom_object, name=name)

    def delete(self, name: str) -> None:
        """Delete one."""
        self._ask(self.objects.delete_namespaced_custom_object, name=name)

    def replace(self, body: Object) -> Object:
        """Write a whole object anew."""
        return self._ask(
            self.objects.replace_namespaced_custom_object, name=body["metadata"]["name"], body=body
        )

    def replace_status(self, body: Object) -> Object:
        """Write an object's status anew."""
        return self._ask(
            self.objects.replace_namespaced_custom_object_status,
            name=body["metadata"]["name"],
            body=body,
        )

    def _ask(self, call: Callable[..., Any], **arguments: Any) -> Object:
        try:
            answer: Object = call(**self.place, **arguments)
        except client.ApiException as error:
            raise RefusedError(_refusal(error)) from error
        return answer
