"""What `gatewaycanary wait` makes of what it sees: go on, or exit with a code.

It waits for the caller's own change: nothing counts before the operator has seen the generation
that was there at the start, and nothing about another image counts at all. Raw objects are read,
not models: a command line of another version must still understand what it waits for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from gatewaycanary.api.status import Phase, Verdict
from gatewaycanary.core.naming import RETRY_ANNOTATION
from gatewaycanary.telemetry.logs import escaped

Object = Mapping[str, Any]


class Code(IntEnum):
    """The exit codes of `gatewaycanary wait`."""

    DONE = 0
    ROLLED_BACK = 1
    INVALID = 2
    TIMED_OUT = 3
    NOT_OURS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSeen:
    """What the wait is bound to, as it was at its start."""

    uid: str
    generation: int
    image: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Nothing is decided yet; the line says where it stands."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The wait is over."""

    code: Code
    text: str


def first_seen(obj: Object) -> FirstSeen:
    """Bind a wait to the object as it is now."""
    spec = obj.get("spec") or {}
    return FirstSeen(
        uid=obj["metadata"]["uid"],
        generation=int(obj["metadata"].get("generation", 0)),
        image=spec.get("image") or "",
        tag=spec.get("imageTag") or "",
    )


def other_image(first: FirstSeen, image: str) -> Exit | None:
    """Refuse to wait for an image that the object does not ask for."""
    wanted = first.image == image or (first.tag and image.endswith(f":{first.tag}"))
    if wanted:
        return None
    asked = first.image or f"tag {first.tag}"
    return Exit(code=Code.NOT_OURS, text=f"the GatewayCanary asks for {asked}, not for {image}")


def judge(first: FirstSeen, current: Object | None) -> Continue | Exit:
    """Judge what was seen now."""
    gone = _gone(first, current)
    if gone is not None or current is None:
        return gone or Exit(code=Code.NOT_OURS, text="the GatewayCanary was deleted")
    status = current.get("status") or {}
    line = describe(status)
    if int(status.get("observedGeneration") or 0) < first.generation:
        return Continue(line="waiting for the operator to see the change")
    if status.get("phase") == Phase.INVALID:
        return Exit(code=Code.INVALID, text=f"invalid: {_message(status)}")
    if _retry_pending(current, status):
        return Continue(line="waiting for the operator to see the retry")
    if not _about(first, status):
        return Continue(line=line)
    return _ended(status) or Continue(line=line)


def describe(status: Object) -> str:
    """Say on one line where a rollout stands."""
    weight = status.get("weight")
    parts = (
        f"{status.get('phase') or Phase.PENDING:<16}",
        f"{status.get('step') or '':>5}",
        f"{'' if weight is None else f'{weight} %':>6}",
        _message(status),
    )
    return "  ".join(parts).rstrip()


def failed_logs(status: Object) -> str:
    """Give the ends of the failed tests' logs."""
    failed = [
        test
        for test in status.get("tests") or ()
        if test.get("verdict") == Verdict.FAILED and test.get("logTail")
    ]
    blocks = []
    for test in failed:
        tail = "\n".join(f"  {escaped(line)}" for line in test["logTail"].splitlines())
        blocks.append(f"\nlog of test {escaped(str(test.get('name')))}:\n{tail}")
    return "\n".join(blocks)


def _gone(first: FirstSeen, current: Object | None) -> Exit | None:
    if current is None or current["metadata"]["uid"] != first.uid:
        return Exit(code=Code.NOT_OURS, text="the GatewayCanary was deleted")
    if current["metadata"].get("deletionTimestamp"):
        return Exit(code=Code.NOT_OURS, text="the GatewayCanary is being deleted")
    now = first_seen(current)
    if (now.image, now.tag) != (first.image, first.tag):
        asked = now.image or f"tag {now.tag}"
        return Exit(code=Code.NOT_OURS, text=f"another image was asked for meanwhile: {asked}")
    return None


def _retry_pending(current: Object, status: Object) -> bool:
    token = (current["metadata"].get("annotations") or {}).get(RETRY_ANNOTATION) or ""
    return bool(token) and token != ((status.get("state") or {}).get("retrySeen") or "")


def _about(first: FirstSeen, status: Object) -> bool:
    image = status.get("canaryImage") or ""
    return image == first.image if first.image else image.endswith(f":{first.tag}")


def _ended(status: Object) -> Exit | None:
    message = _message(status)
    match status.get("phase"):
        case Phase.IDLE:
            return Exit(code=Code.DONE, text=f"nothing to do: {message}")
        case Phase.AWAITING_HANDOVER:
            return Exit(code=Code.DONE, text=f"proven at 100 %, awaiting handover: {message}")
        case Phase.SUCCEEDED if _condition(status, "Promoted") == "False":
            return Exit(code=Code.ROLLED_BACK, text=f"stable has left the image: {message}")
        case Phase.SUCCEEDED:
            return Exit(code=Code.DONE, text=f"promoted: {message}")
        case Phase.FAILED:
            text = f"rolled back: {message}{failed_logs(status)}"
            return Exit(code=Code.ROLLED_BACK, text=text)
    return None


def _condition(status: Object, kind: str) -> str:
    conditions = status.get("conditions") or ()
    return next((one["status"] for one in conditions if one.get("type") == kind), "Unknown")


def _message(status: Object) -> str:
    return escaped(status.get("message") or "")
