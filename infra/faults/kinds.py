"""What can happen to a request on its way, each a small named value.

"Before" means that the server has not done the work, "after" that it has and that the answer is
lost or late. The faults of a stream strike at an event of a watch.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from faults.requests import WRITES, Request


class Fault(Enum):
    """Name one fault; the value is what it does."""

    CONFLICT = "409, nothing done"
    PATCH_REFUSED = "422 as for a failed test of a JSON patch, nothing done"
    THROTTLED = "429 with Retry-After, nothing done"
    BROKEN = "500, nothing done"
    UNAVAILABLE = "503, nothing done"
    TIMED_OUT = "504, the work done"
    SILENT_BEFORE = "no answer, nothing done"
    SILENT_AFTER = "no answer, the work done"
    RESET_BEFORE = "connection reset, nothing done"
    RESET_AFTER = "connection reset, the work done"
    HALF_ANSWERED = "the answer breaks off, the work done"
    SLOW = "the answer comes late"
    STALE = "the answer of an earlier moment"
    EXPIRED = "410, the version or page is no longer kept"
    CUT = "stream: it breaks off within a line"
    TORN = "stream: it ends within a line, and as if that were its end"
    ENDED = "stream: it ends well, before the event"
    GONE = "stream: an ERROR event 410, and its end"
    DUPLICATED = "stream: the event comes twice"
    DELAYED = "stream: the event comes late, and all after it"


_ANY: Final = (
    Fault.THROTTLED,
    Fault.BROKEN,
    Fault.UNAVAILABLE,
    Fault.SILENT_BEFORE,
    Fault.RESET_BEFORE,
    Fault.SLOW,
)
_READ: Final = (*_ANY, Fault.HALF_ANSWERED, Fault.STALE)
_WRITE: Final = (
    *_ANY,
    Fault.CONFLICT,
    Fault.TIMED_OUT,
    Fault.SILENT_AFTER,
    Fault.RESET_AFTER,
    Fault.HALF_ANSWERED,
)
_OPENING: Final = (*_ANY, Fault.EXPIRED)

STREAM: Final = (
    Fault.CUT,
    Fault.TORN,
    Fault.ENDED,
    Fault.GONE,
    Fault.DUPLICATED,
    Fault.DELAYED,
)
"""What can happen at an event of a watch."""

SILENT: Final = frozenset({Fault.SILENT_BEFORE, Fault.SILENT_AFTER})
"""What the client must give up by itself."""

EVERY: Final = frozenset(Fault)


def possible(request: Request) -> tuple[Fault, ...]:
    """Name what can happen to a request, always in the same order."""
    if request.verb == "watch":
        return _OPENING
    if request.verb in WRITES:
        return (*_WRITE, Fault.PATCH_REFUSED) if request.is_json_patch else _WRITE
    return _READ
