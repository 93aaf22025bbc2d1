"""Telling a waiting person what happens, since when, and what comes next.

On a terminal one line is rewritten every second; in a log a line is written
at a stage's start and end and at most every 15 seconds between.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO


def spoken(seconds: float) -> str:
    """Write a duration as a person would."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


class Progress:
    """Follow a fixed list of stages and print where it stands."""

    def __init__(self, stages: Sequence[str], stream: TextIO = sys.stderr) -> None:
        self._stages = list(stages)
        self._stream = stream
        self._terminal = stream.isatty()
        self._interval = 1.0 if self._terminal else 15.0
        self._begun = time.monotonic()

    @contextmanager
    def stage(
        self, name: str, expected: str = "", detail: Callable[[], str] = lambda: ""
    ) -> Iterator[None]:
        """Announce a stage, keep telling about it, and close it with its time."""
        started, done, head = time.monotonic(), threading.Event(), self._head(name)
        usual = f" of usually {expected}" if expected else ""

        def tick() -> None:
            while not done.wait(self._interval):
                took = spoken(time.monotonic() - started) + usual
                told = ", ".join(filter(None, [took, detail()]))
                self._line(f"{head}: {told}{self._next(name)}", passing=True)

        if expected:
            self._line(f"{head} (usually {expected}){self._next(name)}")
        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        outcome = "failed after"
        try:
            yield
            outcome = "done in"
        finally:
            done.set()
            ticker.join()
            self._line(f"{head}: {outcome} {spoken(time.monotonic() - started)}")

    def note(self, text: str) -> None:
        """Print one line that belongs to no stage."""
        self._line(text)

    def elapsed(self) -> float:
        """Tell the seconds since the first stage could start."""
        return time.monotonic() - self._begun

    def _head(self, name: str) -> str:
        if name not in self._stages:
            return name
        return f"[{self._stages.index(name) + 1}/{len(self._stages)}] {name}"

    def _next(self, name: str) -> str:
        if name not in self._stages[:-1]:
            return ""
        return f"; next: {self._stages[self._stages.index(name) + 1]}"

    def _line(self, text: str, *, passing: bool = False) -> None:
        if self._terminal:
            self._stream.write(f"\r\x1b[K{text}" + ("" if passing else "\n"))
        else:
            self._stream.write(text + "\n")
        self._stream.flush()
