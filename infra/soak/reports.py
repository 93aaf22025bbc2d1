"""What a soak has shown: a table for people, a file for machines, and the breaches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from soak import samples
from soak.runs import Result

SHOWN = 5


def breaches(result: Result) -> list[str]:
    """Tell everything that is not as promised."""
    course, found = result.course, []
    if course.done < course.wanted:
        found.append(f"only {course.done} of {course.wanted} rollouts in the time")
    grown = samples.growth(samples.second_half(result.samples))
    if grown > samples.GROWTH:
        found.append(f"the memory grew by {grown:.1%} over the second half")
    return found + leaks(result)


def leaks(result: Result) -> list[str]:
    """Tell what was left behind or went wrong, however short the soak was."""
    course, found = result.course, []
    found += samples.kept(result.before, result.after)
    for what, names in (
        ("objects are left", result.left),
        ("canaries that are gone have series", result.stale),
        ("rollouts went wrong", course.troubles),
        ("complaints of the operator", result.complaints),
    ):
        if names:
            found.append(f"{len(names)} {what}: {'; '.join(names[:SHOWN])}")
    return found


def table(result: Result) -> str:
    """Write what was measured at the beginning, in the middle and at the end."""
    half = samples.second_half(result.samples)
    peak = max(result.samples, key=lambda one: one.memory)
    rows = [("before", result.before), ("half", half[0]), ("last", half[-1])]
    rows += [("peak", peak), ("after", result.after)]
    lines = [f"{'':8}{'rollouts':>9}{'MiB':>8}{'tasks':>7}{'files':>7}{'series':>8}{'objects':>9}"]
    lines += [
        f"{name:8}{one.rollouts:9d}{one.memory:8.1f}{one.tasks:7d}{one.files:7d}"
        f"{one.series:8d}{one.of:9d}"
        for name, one in rows
    ]
    endings = ", ".join(f"{count} {phase}" for phase, count in sorted(_endings(result).items()))
    grown = samples.growth(half)
    rate = result.course.done / result.seconds * 60
    lines += [
        f"{endings}; {result.seconds:.0f} s, {rate:.0f} rollouts a minute",
        f"memory over the second half: {grown:+.1%} (bound {samples.GROWTH:+.0%})",
    ]
    return "\n".join(lines)


def write(path: Path, result: Result) -> None:
    """Write the numbers for machines."""
    told: dict[str, Any] = {
        "rollouts": result.course.done,
        "wanted": result.course.wanted,
        "endings": _endings(result),
        "seconds": round(result.seconds, 1),
        "growth": round(samples.growth(samples.second_half(result.samples)), 4),
        "before": result.before.told(),
        "after": result.after.told(),
        "samples": [one.told() for one in result.samples],
        "breaches": breaches(result),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


def _endings(result: Result) -> dict[str, int]:
    return dict(result.course.endings)
