"""The named effects of a rollout, known from the operator's requests alone."""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol

from gatewaycanary.core.naming import FINALIZER


class Request(Protocol):
    """What is looked at of a request: `verb` and `resource` are as in RBAC."""

    @property
    def verb(self) -> str:
        """Name what is done."""

    @property
    def resource(self) -> str:
        """Name the plural, and the subresource if there is one."""

    def content(self) -> Any:
        """Give the body's JSON; None without a body."""


class Effect(Enum):
    """Name one write; the value says it in words."""

    ANNOUNCED = "the status that announces a weight"
    FINALIZER_ADDED = "the finalizer's addition"
    CANARY_CREATED = "the canary Deployment's creation"
    SERVICE_CREATED = "the canary Service's creation"
    FIRST_RAISE = "the first raise"
    LATER_RAISE = "a later raise"
    TEST_CREATED = "a test pod's creation"
    RECORDED = "the status that records a weight"
    STABLE_WRITTEN = "stable's write"
    STABLE_RECORDED = "the status that records stable's write"
    RETURNED = "the route's write of weight 0 in a promotion"
    WITHDRAWN = "the route's write of a revert"
    FAILED = "the status that tells the failure"
    ROUTE_RESTORED = "the route's restoration"
    TESTS_DELETED = "the test pods' deletion"
    CANARY_DELETED = "the canary Deployment's deletion"
    FINALIZER_REMOVED = "the finalizer's removal"


ONLY_GOOD = frozenset({Effect.STABLE_WRITTEN, Effect.STABLE_RECORDED, Effect.RETURNED})
"""What happens only where the image is good."""

ONLY_BAD = frozenset({Effect.WITHDRAWN, Effect.FAILED})
"""What happens only where it is bad."""

LATE = frozenset({Effect.LATER_RAISE, Effect.RECORDED})
"""What happens to a bad image only if it passes some steps."""

_PLAIN = {
    ("create", "deployments"): Effect.CANARY_CREATED,
    ("create", "services"): Effect.SERVICE_CREATED,
    ("create", "ingresses"): Effect.FIRST_RAISE,
    ("create", "pods"): Effect.TEST_CREATED,
    ("delete", "ingresses"): Effect.ROUTE_RESTORED,
    ("deletecollection", "pods"): Effect.TESTS_DELETED,
    ("delete", "deployments"): Effect.CANARY_DELETED,
}
_ROUTES = frozenset({"ingresses", "virtualservices", "httproutes"})
_WEIGHT = "canary-weight"


class Recogniser:
    """Name the effects of one rollout's requests, in the order of their coming.

    It learns what was announced and raised: the same kind of request is another effect later in
    the rollout, and to another operator.
    """

    def __init__(self) -> None:
        self._state: dict[str, Any] = {}
        self._raised = False

    def effects(self, request: Request) -> frozenset[Effect]:
        """Name what a request is to do; nothing for reads and for what has no name."""
        return frozenset(self._named(request))

    def learn(self, request: Request) -> None:
        """Take note of a request that was done."""
        self._raised |= Effect.FIRST_RAISE in self._named(request)
        if request.resource == "gatewaycanaries/status" and request.verb == "patch":
            self._state |= _state(request.content())

    def _named(self, request: Request) -> set[Effect]:
        verb, resource = request.verb, request.resource
        if (verb, resource) in _PLAIN:
            return {_PLAIN[verb, resource]}
        if verb != "patch":
            return set()
        patch = request.content()
        if resource == "deployments" and "image" in str(patch):
            return {Effect.STABLE_WRITTEN}
        readings = {"gatewaycanaries": self._finalizers, "gatewaycanaries/status": self._status}
        reading = self._route if resource in _ROUTES else readings.get(resource)
        return reading(patch) if reading else set()

    def _finalizers(self, patch: Any) -> set[Effect]:
        if "finalizers" not in patch["metadata"]:
            return set()
        held = FINALIZER in (patch["metadata"]["finalizers"] or ())
        return {Effect.FINALIZER_ADDED if held else Effect.FINALIZER_REMOVED}

    def _status(self, patch: Any) -> set[Effect]:
        before, now = self._state, _state(patch)
        found = set()
        if (now.get("announced") or 0) > (before.get("announced") or 0):
            found.add(Effect.ANNOUNCED)
        if (now.get("recorded") or 0) > (before.get("recorded") or 0):
            found.add(Effect.RECORDED)
        if now.get("stableWritten"):
            found.add(Effect.STABLE_RECORDED)
        if now.get("outcome") == "Failed":
            found.add(Effect.FAILED)
        return found

    def _route(self, operations: Any) -> set[Effect]:
        """Read a JSON patch of a route."""
        told = [each for each in operations if each["op"] != "test"]
        marks = [each for each in told if "withdrawn" in str(each)]
        if any(each["op"] != "remove" for each in marks):
            return {Effect.WITHDRAWN}
        if all("managedFields" in each["path"] or "metadata/" in each["path"] for each in told):
            weighed = any(_WEIGHT in each["path"] for each in told)
            if not weighed and not marks:
                return set()
        if marks or not self._state.get("announced"):
            zeroed = any(each.get("value") in (0, "0") for each in told)
            return {Effect.RETURNED if zeroed and not marks else Effect.ROUTE_RESTORED}
        return {Effect.LATER_RAISE if self._raised else Effect.FIRST_RAISE}


def _state(patch: Any) -> dict[str, Any]:
    found: dict[str, Any] = (patch.get("status") or {}).get("state") or {}
    return found
