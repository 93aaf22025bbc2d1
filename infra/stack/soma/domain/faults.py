"""Faults on demand, so that a demo can show how a bad version is found.

A rate is spread evenly and not drawn by chance: of each hundred things at a rate of 0.3 thirty
fail, whatever hour it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Literal


class FaultError(Exception):
    """Raised where a fault was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is to go wrong."""

    error_rate: float = 0.0
    latency_ms: int = 0
    health: Literal["ok", "failing"] = "ok"
    answer: Literal["right", "wrong"] = "right"

    def strikes(self, number: int) -> bool:
        """Tell whether the thing of this number, counted from 1, fails."""
        return floor(number * self.error_rate) > floor((number - 1) * self.error_rate)
