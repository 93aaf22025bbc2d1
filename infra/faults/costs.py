"""What single faults may cost: a revert's delay, and lists that are read anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from faults.kinds import SILENT, Fault
from faults.ledgers import Stroke
from faults.plans import LEASES
from faults.requests import Request
from gatewaycanary.core.naming import RUN_LABEL
from proving import timelines
from proving.histories import Record

PATIENCE: Final = 10.0
"""Seconds after which the client gives up a request that gets no answer."""

ALONE: Final = 2.0
"""Seconds that a revert may take where no fault is in its way, on a busy machine."""

RESTART: Final = 30.0
"""Seconds that a process may need to end, to be started again and to lead."""

_RETRY: Final = 2.0
"""Seconds after which a revert is tried again at the latest."""

_TIMED: Final = {Fault.THROTTLED, Fault.SLOW, Fault.DELAYED}


def revert(records: Sequence[Record]) -> tuple[float, float] | None:
    """Give when a test's failure was stored, and when the weight was 0; None if nothing failed."""
    failed = [
        each.at
        for each in timelines.of_kind(records, "Pod")
        if RUN_LABEL in timelines.labels(each.object)
        and timelines.status(each.object).get("phase") == "Failed"
    ]
    if not failed:
        return None
    home = [s.record.at for s in timelines.shifts(records) if s.after == 0]
    return failed[0], next((at for at in home if at >= failed[0]), float("inf"))


def explained(strokes: Iterable[Stroke], since: float, until: float, *, restarts: int) -> float:
    """Give the seconds for which the faults of a span of time, and just before it, account."""
    struck = [each for each in strokes if since - PATIENCE <= each.at <= until]
    return ALONE + RESTART * restarts + sum(_cost(each) for each in struck)


def needless_lists(
    counts: Mapping[tuple[str, str], int], strokes: Iterable[Stroke], *, starts: int
) -> dict[str, int]:
    """Give, by resource, how many lists no start, no 410 and no failed list accounts for.

    NB: GatewayCanaries are left out: kopf, which follows them too, has its own ways.
    """
    reasons = Counter(each.request.resource for each in strokes if _relists(each))
    return {
        resource: more
        for (verb, resource), count in counts.items()
        if verb == "list" and counts.get(("watch", resource)) and resource != "gatewaycanaries"
        if (more := count - starts - reasons[resource]) > 0
    }


def too_hasty(requests: Iterable[Request]) -> list[Request]:
    """Choose, of those that did not wait for their Retry-After, the ones that should have.

    A Lease is renewed in time, or lost. GatewayCanaries are followed twice, by kopf too, and one
    of them does not know what the other was told.
    """
    return [
        each
        for each in requests
        if each.resource != LEASES
        if not (each.verb in {"list", "watch"} and each.resource == "gatewaycanaries")
        if each.verb != "discover"
    ]


def _cost(stroke: Stroke) -> float:
    if stroke.injection.fault in SILENT:
        return PATIENCE + _RETRY
    if stroke.injection.fault in _TIMED:
        return stroke.injection.seconds
    return _RETRY


def _relists(stroke: Stroke) -> bool:
    gone = stroke.injection.fault in {Fault.GONE, Fault.EXPIRED}
    return gone or stroke.request.verb == "list"
