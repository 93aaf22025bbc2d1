"""One change at one place of a value, of the kinds by which people and programs go wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from integration.engine.fuzz.schemas import Node, Place, value

TEXTS = (
    *("", " ", "\x00", "a\nb", "a ", " a", "\u202eabc", "٣", "null", "true", "ｇateway", "é"),
    *("e\u0301", "💥" * 20, "-", ".", "a..b", "a--b", "A", "0", "1e3", "0x10", "5%", "*", "../a"),
    *("1h", "0s", "999ms", "1s", "99999h", "100000h", "-1s", "1.5h", "1d", "1s1h", "60m60s", "+1s"),
    *("a" * length for length in (52, 53, 54, 56, 57, 62, 63, 64, 128, 129, 253, 254, 317, 318)),
    *("a" * length for length in (512, 513, 4096, 300_000)),
    *("a." * 126 + "a", "a/" * 20 + "a", "a:" + "b" * 128, "{{ .Values.tag }}", "$(TAG)", "a,b"),
)
NUMBERS = (
    *(0, -1, 1, 2, 10, 11, 99, 100, 101, 1.0, 100.0, 0.5, -0.0, 1e2, 1e300, 5e-324),
    *(2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**40),
)
SHAPES: tuple[Any, ...] = ([], {}, [None], [[]], {"": 1}, {"weight": 100}, [{}], None, True, False)
LENGTHS = (0, 2, 9, 17, 33, 100, 101, 3000)
GONE = object()

Change = Callable[[Random, Any, Node | None], Any]


def mutated(rng: Random, root: Any, place: Place) -> Any:
    """Change one place of a copy of a value."""
    path, node = place
    root = copy.deepcopy(root)
    if not path:
        after = _change(rng, root, node)
        return {} if after is GONE else after
    parent = root
    for part in path[:-1]:
        parent = parent[part]
    after = _change(rng, parent[path[-1]], node)
    if after is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = after
    return root


def _change(rng: Random, before: Any, node: Node | None) -> Any:
    fitting = _FITTING.get(type(before), ())
    return rng.choice((_gone, _other, _anew, *fitting, *fitting))(rng, before, node)


def _gone(_: Random, __: Any, ___: Node | None) -> Any:
    return GONE


def _other(rng: Random, _: Any, __: Node | None) -> Any:
    return rng.choice((rng.choice(TEXTS), rng.choice(NUMBERS), copy.deepcopy(rng.choice(SHAPES))))


def _anew(rng: Random, before: Any, node: Node | None) -> Any:
    return before if node is None else value(rng, node)


def _text(rng: Random, _: Any, __: Node | None) -> str:
    return rng.choice(TEXTS)


def _spoilt(rng: Random, before: Any, _: Node | None) -> str:
    at = rng.randint(0, len(before))
    return str(before[:at]) + rng.choice(TEXTS) + str(before[at:])


def _respelt(rng: Random, before: Any, _: Node | None) -> str:
    changes: tuple[Callable[[str], str], ...] = (str.upper, str.title, str.swapcase)
    return rng.choice(changes)(before)


def _number(rng: Random, before: Any, _: Node | None) -> float:
    near: float = before + rng.choice((-1, 1))
    return rng.choice((*NUMBERS, near, near))


def _resized(rng: Random, before: Any, _: Node | None) -> list[Any]:
    return [before[0] if before else None] * rng.choice(LENGTHS)


def _reordered(rng: Random, before: Any, _: Node | None) -> list[Any]:
    return rng.sample(before, len(before))


def _extended(rng: Random, before: Any, node: Node | None) -> dict[str, Any]:
    known = list((node or {}).get("properties", ()))
    names = ["extra", "Weight", "helm ", "target_ref", rng.choice(TEXTS), *known]
    return {**before, rng.choice(names): _other(rng, None, None)}


def _renamed(rng: Random, before: Any, _: Node | None) -> dict[str, Any]:
    if not before:
        return {}
    name = rng.choice(list(before))
    rest = {key: one for key, one in before.items() if key != name}
    return {**rest, f"{name}".swapcase(): before[name]}


_FITTING: dict[type, tuple[Change, ...]] = {
    str: (_text, _spoilt, _respelt),
    int: (_number, _number),
    list: (_resized, _reordered),
    dict: (_extended, _renamed),
}
