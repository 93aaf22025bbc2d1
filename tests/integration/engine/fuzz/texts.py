"""Texts that a pattern permits, drawn from the pattern itself.

Patterns of the schema are in the common subset of RE2 and Python's `re`. Hypothesis draws from
patterns too, but at ten milliseconds a text.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

REPEATS = 8
"""How often an unbounded repeat repeats at most, nearly always."""

_parser: Any = importlib.import_module("re._parser")


@cache
def _parsed(pattern: str) -> Any:
    return _parser.parse(pattern)


def text(rng: Random, pattern: str) -> str:
    """Draw a text that the whole pattern matches."""
    return _sequence(rng, _parsed(pattern))


def _sequence(rng: Random, items: Any) -> str:
    return "".join(_DRAWN[str(op)](rng, argument) for op, argument in items)


def _repeat(rng: Random, argument: Any) -> str:
    least, most, inner = argument
    long = rng.random() < 0.01
    bound = min(int(most), least + (60 if long else REPEATS))
    return "".join(_sequence(rng, inner) for _ in range(rng.randint(least, bound)))


def _choice(rng: Random, argument: Any) -> str:
    op, value = rng.choice(argument)
    return chr(rng.randint(*value)) if str(op) == "RANGE" else chr(value)


_DRAWN: dict[str, Callable[[Random, Any], str]] = {
    "LITERAL": lambda _, code: chr(code),
    "IN": _choice,
    "MAX_REPEAT": _repeat,
    "SUBPATTERN": lambda rng, argument: _sequence(rng, argument[3]),
    "BRANCH": lambda rng, argument: _sequence(rng, rng.choice(argument[1])),
}
