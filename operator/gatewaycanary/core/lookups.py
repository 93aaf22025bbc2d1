"""Read-only access to the cached raw objects that checks and providers are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gatewaycanary.core.writes import Object


class Lookup(Protocol):
    """Cached objects by kind; a kind that is not watched has none."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object, or None where there is none."""

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Return all objects of the kind in the namespace."""
