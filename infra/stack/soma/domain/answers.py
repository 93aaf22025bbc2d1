"""What is answered: which tool a text asks for, and the words around its result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from soma.domain.tools import ToolName

WRONG = "The answer is 41."

_RECALL = re.compile(r"\bwhat did i (say|tell you)\b", re.IGNORECASE)
_PATTERNS: tuple[tuple[ToolName, re.Pattern[str]], ...] = (
    ("calculate", re.compile(r"^\s*(?:what is|calculate)\s+(.*?)\s*\??\s*$", re.I | re.S)),
    ("count", re.compile(r"^\s*count(?: the words of)?\s*:\s*(.*)$", re.I | re.S)),
    ("reverse", re.compile(r"^\s*reverse\s*:\s*(.*)$", re.I | re.S)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool and what it is given."""

    name: ToolName
    argument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What came of a tool: its result, or why there is none."""

    text: str
    ok: bool


def wanted(text: str) -> ToolCall | None:
    """Choose the tool that a text asks for."""
    for name, pattern in _PATTERNS:
        if found := pattern.match(text):
            return ToolCall(name=name, argument=found[1])
    return None


def composed(text: str, *, result: ToolResult | None, kept: Sequence[str]) -> str:
    """Write the answer to a text."""
    if result is not None:
        return f"The answer is {result.text}." if result.ok else f"That failed: {result.text}."
    if _RECALL.search(text):
        return f"You said: {'; '.join(kept)}." if kept else "You said nothing yet."
    return f"I have noted: {text}"
