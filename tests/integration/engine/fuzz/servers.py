"""What the API server answers to an object, and what a person can make of the answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from gatewaycanary.api.crd import GROUP, KIND, VERSION
from gatewaycanary.kube.resources import GATEWAY_CANARY, Object
from integration.engine.fuzz.objects import Drawn
from proving.api import Api, RefusedError

STRICT = {"fieldValidation": "Strict"}
"""As kubectl and Helm ask."""

MESSAGE_LIMIT = 64 * 1024
AMPLIFIED = 40
_PLACE = re.compile(r"\b(spec|metadata)\b|unknown field|request (entity )?is too large")
_NOISE = re.compile(
    r"no such (key|overload)|cost limit|call cost|budget|invalid duration|unmarshal|panic"
    r"|internal error|runtime error|%!|strconv|evaluation"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An object as sent, and as stored or why not."""

    drawn: Drawn
    sent: Object
    stored: Object | None = None
    code: int = 201
    message: str = ""


def body(drawn: Drawn, *, name: str) -> Object:
    """Give the object to send; its name is filled up to the length that was drawn."""
    padded = name.ljust(drawn.length, "x")
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": padded, **drawn.metadata},
        "spec": drawn.spec,
    }


def create(api: Api, drawn: Drawn, *, name: str, namespace: str) -> Answer:
    """Create the object as kubectl does."""
    sent = body(drawn, name=name)
    path = GATEWAY_CANARY.path(namespace=namespace)
    try:
        stored = api.request("POST", path, sent, query=STRICT)
    except RefusedError as refused:
        return Answer(drawn=drawn, sent=sent, code=refused.status, message=refused.message)
    return Answer(drawn=drawn, sent=sent, stored=stored)


def unclear(answer: Answer) -> str:
    """Say what is wrong with the words of a refusal; nothing where a person can act on them."""
    if answer.code not in (400, 413, 422):
        return f"an odd code: {answer.code}"
    if not _PLACE.search(answer.message):
        return "it names no field"
    noise = _NOISE.search(answer.message)
    if noise:
        return f"it says {noise[0]!r}"
    # NB: the server says a line of every item of a list, and repeats a text that is too long.
    most = MESSAGE_LIMIT + AMPLIFIED * len(json.dumps(answer.sent))
    return "" if len(answer.message) <= most else f"{len(answer.message)} characters"


def lost(sent: Any, stored: Any, path: str = "spec") -> str:
    """Name the first place whose value was not stored as sent; a null field is no value."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        for key, value in sent.items():
            found = lost(value, stored.get(key), f"{path}.{key}") if value is not None else ""
            if found:
                return found
        return ""
    if isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        pairs = enumerate(zip(sent, stored, strict=True))
        return next(filter(None, (lost(a, b, f"{path}[{n}]") for n, (a, b) in pairs)), "")
    same = sent == stored and isinstance(sent, bool) is isinstance(stored, bool)
    return "" if same else f"{path}: {sent!r} became {stored!r}"
