"""An operator's view of the cluster: each field at a moment of its own past, never going back.

What the operator writes itself it reads back at once, so that a field it wrote is never older
than its write.
"""

from __future__ import annotations

from typing import Any

from model.cluster import Cluster
from model.pictures import Picture


class View:
    """The caches of one operator."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._seen = {name: len(values) - 1 for name, values in cluster.past.items()}

    def picture(self) -> Picture:
        """Give the cluster as this operator sees it."""
        past = self._cluster.past
        values: dict[str, Any] = {name: past[name][at] for name, at in self._seen.items()}
        return Picture(**values)

    def marker(self) -> tuple[int, ...]:
        """Give a mark that changes with every event that comes in."""
        return tuple(self._seen.values())

    def is_fresh(self) -> bool:
        """Tell whether nothing is behind."""
        return all(at == len(self._cluster.past[name]) - 1 for name, at in self._seen.items())

    def catch_up(self, *names: str) -> None:
        """Let these fields, or all, come up to the present."""
        for name in names or tuple(self._seen):
            self._seen[name] = len(self._cluster.past[name]) - 1

    def advance(self, name: str) -> None:
        """Let one event of this field come in."""
        self._seen[name] = min(self._seen[name] + 1, len(self._cluster.past[name]) - 1)
