"""Whether an object met what it deserved: a refusal in clear words, or all of what it says."""

from __future__ import annotations

import re
from typing import Any

from gatewaycanary.api.durations import parse_duration
from gatewaycanary.api.problems import SpecInvalid
from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.api.status import Phase
from gatewaycanary.kube.resources import Object
from integration.engine.fuzz.servers import Answer, lost, unclear

DURATIONS = frozenset({"settle", "hold", "timeout", "progressDeadline", "scaleDownDelay"})

_TOLD = re.compile(
    "(Deployment|Service|Ingress|VirtualService|DestinationRule|HTTPRoute|CustomResourceDefinition"
    "|GatewayCanary|Helm release) [a-z0-9.-]+( spec[^ ]*)?: ."
)
"""How a problem begins: with the object, and the field where there is one."""


def fault(answer: Answer) -> str:
    """Say what is wrong with what became of an object before any operator looked at it."""
    if answer.stored is None:
        return unclear(answer) or _refused_by_one(answer)
    return _taken(answer.sent["spec"], answer.stored["spec"])


def _refused_by_one(answer: Answer) -> str:
    """Python reads specs only: what the server says of the name or the metadata is its own."""
    if answer.code == 413 or "metadata" in answer.message:
        return ""
    spec = answer.sent["spec"]
    if not isinstance(spec, dict):
        return ""
    try:
        parse(spec)
    except SpecInvalid:
        return ""
    return "the server refuses what Python takes"


def _taken(sent: Any, stored: Object) -> str:
    gone = lost(sent, stored)
    if gone:
        return gone
    try:
        meant, kept = parse(sent), parse(stored)
    except SpecInvalid as error:
        return f"the server takes what Python refuses: {error}"
    if meant != kept:
        return "what is stored reads as something else"
    return changed(stored, written(kept))


def written(spec: GatewayCanarySpec) -> Object:
    """Write a spec as it was read, with what was given only."""
    dumped: Object = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dumped


def changed(stored: Any, read: Any, path: str = "spec") -> str:
    """Name the first place that Python reads as something else than what is stored."""
    if isinstance(stored, dict) and isinstance(read, dict):
        if set(stored) != set(read):
            return f"{path}: {sorted(set(stored) ^ set(read))} on one side only"
        pairs = ((f"{path}.{key}", stored[key], read[key]) for key in stored)
        return next(filter(None, (changed(a, b, where) for where, a, b in pairs)), "")
    if isinstance(stored, list) and isinstance(read, list) and len(stored) == len(read):
        numbered = enumerate(zip(stored, read, strict=True))
        return next(filter(None, (changed(a, b, f"{path}[{n}]") for n, (a, b) in numbered)), "")
    if path.rpartition(".")[2] in DURATIONS:
        same = parse_duration(stored) == parse_duration(read)
    else:
        same = stored == read
    return "" if same else f"{path}: {stored!r} is read as {read!r}"


def unanswered(canary: Object) -> str:
    """Say what the operator's answer lacks; nothing where it is whole."""
    status = canary.get("status") or {}
    if status.get("observedGeneration") != canary["metadata"]["generation"]:
        return "no answer"
    if status.get("phase") not in set(Phase):
        return f"phase {status.get('phase')!r}"
    kinds = {one["type"]: one["status"] for one in status.get("conditions", ())}
    shown = [kind for kind in ("Ready", "Reconciling", "Stalled") if kinds.get(kind) == "True"]
    if len(shown) != 1:
        return f"it is {' and '.join(shown) or 'nothing'} at once"
    message = status.get("message") or ""
    if status["phase"] not in (Phase.PENDING, Phase.INVALID):
        return "" if message else "no message"
    return "" if _TOLD.match(message) else f"the message names no object: {message!r}"
