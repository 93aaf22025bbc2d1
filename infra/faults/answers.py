"""What the proxy says in the API server's place, and what the server has said before."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from faults.kinds import Fault
from faults.plans import Injection
from faults.requests import Request

_KEPT: Final = 8
_REASONS: Final = {
    Fault.CONFLICT: (409, "Conflict", "the object has been modified; please apply your changes"),
    Fault.PATCH_REFUSED: (422, "Invalid", "the server rejected our request due to an error in it"),
    Fault.THROTTLED: (429, "TooManyRequests", "the server has received too many requests"),
    Fault.BROKEN: (500, "InternalError", "an error on the server has prevented the request"),
    Fault.UNAVAILABLE: (503, "ServiceUnavailable", "the server is currently unable to handle it"),
    Fault.TIMED_OUT: (504, "Timeout", "request did not complete within the allotted timeout"),
    Fault.EXPIRED: (410, "Expired", "the provided resource version is too old"),
    Fault.GONE: (410, "Expired", "too old resource version"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def refusal(injection: Injection) -> Answer:
    """Say what the API server says with this fault, in the same form."""
    headers = {"Content-Type": "application/json"}
    if injection.fault is Fault.THROTTLED:
        headers["Retry-After"] = str(int(injection.seconds))
    said = status_of(injection.fault)
    return Answer(status=said["code"], headers=headers, body=json.dumps(said).encode())


def status_of(fault: Fault) -> dict[str, Any]:
    """Give the Status object of a fault that has one."""
    code, reason, message = _REASONS[fault]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"injected: {message}",
        "reason": reason,
        "details": {},
        "code": code,
    }


def is_refusal(fault: Fault) -> bool:
    """Tell whether the proxy answers by itself, so that the server never has the request."""
    return fault in _REASONS and fault not in {Fault.TIMED_OUT, Fault.GONE}


class Memory:
    """Keep some earlier answers to each read."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[Answer]] = {}

    def keep(self, request: Request, answer: Answer) -> None:
        """Keep a good answer to a read of objects; a page in the middle of a list is none."""
        if (
            request.verb in {"get", "list"}
            and answer.status == 200
            and "continue" not in (request.query)
        ):
            self._kept.setdefault(request.address, deque(maxlen=_KEPT)).append(answer)

    def earlier(self, request: Request) -> Answer | None:
        """Give the answer before the last one to the same read, else the last, else None."""
        kept = self._kept.get(request.address)
        return kept[-min(2, len(kept))] if kept else None
