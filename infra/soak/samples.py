"""What a process holds, moment by moment, and whether that grows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proving.operators import Operator

GROWTH = 0.05
"""By how much the memory may grow over the second half, as a share of it."""

SPARE = 5
"""Tasks or files by which the end may differ from the beginning: connections are kept a while."""

_OF_OBJECT = re.compile(r'^gatewaycanary_\w+\{[^}]*\bname="([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One moment. ``memory`` in MiB; ``series``: of all metrics; ``of``: objects with series."""

    seconds: float
    rollouts: int
    memory: float
    files: int
    tasks: int
    series: int
    of: int
    live: int

    def told(self) -> dict[str, Any]:
        """Give it for a report."""
        return asdict(self)


def take(
    operator: Operator, tasks: Path, *, seconds: float, rollouts: int, live: int
) -> tuple[Sample, set[str]]:
    """Look at the operator; give also the names of the objects that it has series of."""
    process = Path(f"/proc/{operator.pid}")
    status = (process / "status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)
    scraped = operator.metrics()
    lines = [line for line in scraped.splitlines() if not line.startswith("#")]
    names = set(_OF_OBJECT.findall(scraped))
    sample = Sample(
        seconds=round(seconds, 1),
        rollouts=rollouts,
        memory=round(int(found[1]) / 1024, 2) if found else 0.0,
        files=len(list((process / "fd").iterdir())),
        tasks=count(tasks),
        series=len(lines),
        of=len(names),
        live=live,
    )
    return sample, names


def count(tasks: Path) -> int:
    """Read how many tasks were counted last; 0 where none were yet."""
    return int(tasks.read_text() or 0) if tasks.exists() else 0


def kept(before: Sample, after: Sample) -> list[str]:
    """Tell what there is more of than before."""
    pairs = (("tasks", before.tasks, after.tasks), ("files", before.files, after.files))
    return [
        f"{now} {what} at the end, {then} at the beginning"
        for what, then, now in pairs
        if now > then + SPARE
    ]


def second_half(samples: Sequence[Sample]) -> list[Sample]:
    """Give the samples from the moment on at which half of the rollouts had ended."""
    half = samples[-1].rollouts / 2
    return [one for one in samples if one.rollouts >= half]


def growth(samples: Sequence[Sample]) -> float:
    """Give the share by which the memory grew, by the straight line that fits the samples best."""
    count = len(samples)
    if count < 3:
        return 0.0
    middle = sum(one.seconds for one in samples) / count
    mean = sum(one.memory for one in samples) / count
    spread = sum((one.seconds - middle) ** 2 for one in samples)
    slope = sum((one.seconds - middle) * (one.memory - mean) for one in samples) / spread
    began = mean + slope * (samples[0].seconds - middle)
    return slope * (samples[-1].seconds - samples[0].seconds) / began
