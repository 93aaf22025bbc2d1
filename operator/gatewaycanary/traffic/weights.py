"""Weights as routes spell them: strings that people may edit, read as strictly as routers do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TOTAL: Final = 100
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A weight as found: None where it is not one that we could have written, and the words."""

    weight: int | None
    text: str


def read(spelled: str | None, *, field: str) -> Reading:
    """Read a spelled weight; 0 to 100 is one, all else is told in words."""
    if spelled is None:
        return Reading(weight=None, text=f"no {field}")
    # NB: Python's int() takes blanks, underscores and other scripts' digits; routers don't.
    if _INTEGER.fullmatch(spelled) is None:
        return Reading(weight=None, text=f"{field} {spelled[:40]!r}, which is no number")
    weight = int(spelled)
    if not 0 <= weight <= TOTAL:
        return Reading(weight=None, text=f"{field} {spelled}, which is not within 0 to {TOTAL}")
    return Reading(weight=weight, text=f"{weight} %")
