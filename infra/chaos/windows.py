"""Spans of time in which a fault had something away, and what they excuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

GRACE = 1.0
"""Seconds after a window's end for which it still counts: answers that were under way."""


class Away(Enum):
    """What was away."""

    CONTROL = "API server or etcd"
    TRAFFIC = "data plane"
    NODE = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One span in monotonic seconds; it ends when what was away serves again."""

    away: Away
    began: float
    ended: float

    def touches(self, began: float, ended: float) -> bool:
        """Tell whether something that took so long met the window."""
        return began <= self.ended + GRACE and ended >= self.began

    @property
    def excuses_losses(self) -> bool:
        """Tell whether a request may be lost in it."""
        return self.away is not Away.CONTROL


def excused(windows: Iterable[Window], *, began: float, ended: float) -> bool:
    """Tell whether a request that took so long may have been lost."""
    return any(each.excuses_losses and each.touches(began, ended) for each in windows)


def took_pods(windows: Iterable[Window], *, at: float) -> bool:
    """Tell whether a fault had the pods away at a moment."""
    return any(each.away is Away.NODE and each.touches(at, at) for each in windows)
