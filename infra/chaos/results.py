"""What is kept between calls: one line of JSON a run, in a file a seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from chaos.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Results:
    """The verdicts of one seed."""

    path: Path

    def read(self) -> dict[int, Verdict]:
        """Give the verdicts by the runs' numbers; a line that was cut off counts as none."""
        found: dict[int, Verdict] = {}
        lines = self.path.read_text().splitlines() if self.path.exists() else ()
        for line in lines:
            try:
                verdict = Verdict.read(json.loads(line))
            except (ValueError, TypeError):
                continue
            found[verdict.number] = verdict
        return found

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(verdict.stored()) + "\n")

    def missing(self, runs: int) -> list[int]:
        """Name the runs of a number of them that have no verdict."""
        done = self.read()
        return [number for number in range(runs) if number not in done]
