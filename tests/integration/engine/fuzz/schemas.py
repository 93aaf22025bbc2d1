"""Values that a structural schema permits, drawn from the schema that the CRD carries.

hypothesis-jsonschema knows no `x-kubernetes-validations` and no int-or-string, and those are most
of what ours says. So the shapes come from the schema, and what a string may hold from the pattern
in its CEL rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

from gatewaycanary.api.crd import schema as generated
from gatewaycanary.api.durations import parse_duration
from gatewaycanary.api.rules import VALIDATIONS
from integration.engine.fuzz.texts import text

Node = dict[str, Any]
Place = tuple[tuple[Any, ...], Node | None]
"""Where in a value, and what the schema says of it."""

SPEC: Node = generated()["properties"]["spec"]
ITEMS = 3
"""Items of a drawn list; long lists are the mutations' work."""

_PATTERN = re.compile(r"self\.matches\('\^(.*?)\$'\)")
_WORDS = re.compile(r"self in \[([^]]*)\]")


def value(rng: Random, node: Node) -> Any:
    """Draw what the node permits by its shape and by its own rules."""
    if "enum" in node:
        return rng.choice(node["enum"])
    if node.get("x-kubernetes-int-or-string"):
        return rng.choice([rng.randint(1, 50), 2**31 - 1, *_words(node)])
    return _OF_TYPE[node["type"]](rng, node)


def _list(rng: Random, node: Node) -> list[Any]:
    most = min(ITEMS, node.get("maxItems", ITEMS))
    return [value(rng, node["items"]) for _ in range(rng.randint(0, most))]


def _integer(rng: Random, node: Node) -> int:
    least, most = node.get("minimum", -(2**31)), node.get("maximum", 2**31 - 1)
    drawn: int = rng.choice([least, most, rng.randint(least, most), rng.randint(least, most)])
    return drawn


def _boolean(rng: Random, _: Node) -> bool:
    return rng.random() < 0.5


def _object(rng: Random, node: Node) -> dict[str, Any]:
    required, chance = node.get("required", ()), rng.random()
    names = [name for name in node["properties"] if name in required or rng.random() < chance]
    return {name: value(rng, node["properties"][name]) for name in names}


def _string(rng: Random, node: Node) -> str:
    rules = [rule["rule"] for rule in node.get(VALIDATIONS, ())]
    pattern = next(found[1] for rule in rules if (found := _PATTERN.search(rule)))
    floor = any("duration(self)" in rule for rule in rules)
    while True:
        drawn = text(rng, pattern)
        fits = 0 < len(drawn) <= node["maxLength"]
        if fits and not (floor and parse_duration(drawn) < timedelta(seconds=1)):
            return drawn


_OF_TYPE: dict[str, Callable[[Random, Node], Any]] = {
    "array": _list,
    "boolean": _boolean,
    "integer": _integer,
    "object": _object,
    "string": _string,
}


def _words(node: Node) -> list[str]:
    rules = " ".join(rule["rule"] for rule in node.get(VALIDATIONS, ()))
    found = _WORDS.search(rules)
    assert found is not None, rules
    return [word.strip(" '") for word in found[1].split(",")]


def places(found: Any, node: Node | None, path: tuple[Any, ...] = ()) -> Iterator[Place]:
    """Iterate over every place in a value, the whole value first."""
    yield path, node
    if isinstance(found, dict):
        for name, child in found.items():
            yield from places(child, (node or {}).get("properties", {}).get(name), (*path, name))
    elif isinstance(found, list):
        for number, child in enumerate(found):
            yield from places(child, (node or {}).get("items"), (*path, number))
