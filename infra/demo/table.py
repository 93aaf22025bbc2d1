"""The demo's table: one line a step, rewritten while the step lasts where there is a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from demo.course import Step
from demo.reports import spoken

HEADER = "   step  wanted  measured                 propagation         tests       time"


def line(step: Step, *, number: int, of: int, now: float) -> str:
    """Write one step's line."""
    share = step.share
    counted = f"{share.percent:5.1f} % ({share.canary} of {share.requests})"
    measured = counted if share.requests else "propagating"
    tests = f"{len(step.failed)} failed" if step.failed else f"{step.passed} passed"
    moved = spoken(step.propagation) if step.until else ""
    lasted = (step.until or now) - step.since
    shown = f"{step.weight:4d} %  {measured:23s}  {moved:18s}  {tests:9s}  {lasted:4.1f} s"
    return f"   {number}/{of}   {shown}"


class Table:
    """Print the steps of one rollout as they come."""

    def __init__(self, *, of: int, stream: TextIO = sys.stdout) -> None:
        self._of = of
        self._stream = stream
        self._finished = 0
        self._write(f"{HEADER}\n")

    def show(self, steps: list[Step], *, note: str = "", over: bool = False) -> None:
        """Bring the table up to date; the note says what is waited for between the steps."""
        for number, step in enumerate(steps, start=1):
            if number <= self._finished:
                continue
            text = line(step, number=number, of=self._of, now=time.monotonic())
            if step.until is not None or over:
                self._finished = number
                self._write(f"{self._fresh()}{text}\n")
            else:
                note = text
        if self._stream.isatty():
            self._write(self._fresh() if over else f"{self._fresh()}{note[:100]} …")

    def _fresh(self) -> str:
        return "\r\x1b[K" if self._stream.isatty() else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
