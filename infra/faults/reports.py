"""What the fault tests have shown, for people and for programs in build/faults.json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from faults.rollouts import Outcome
from faults.scenarios import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One seed's rollout, beside the same one without faults, and what is wrong with it."""

    scenario: Scenario
    outcome: Outcome
    plain: Outcome
    wrong: Sequence[str]

    @property
    def ratio(self) -> float:
        """Give the requests as a multiple of those without faults."""
        return self.outcome.requests / self.plain.requests

    @property
    def writes_ratio(self) -> float:
        """Give the writes as a multiple of those without faults."""
        return self.outcome.effects / self.plain.effects


def line(run: Run) -> str:
    """Tell one run in one line."""
    seed, shape, outcome = run.scenario.seed, run.scenario.shape, run.outcome
    return (
        f"{'ok  ' if not run.wrong else 'FAIL'} seed {seed:3d}  {shape!s:32s}"
        f" {run.scenario.mix:13s} {len(outcome.strokes):3d} faults"
        f" {outcome.requests:4d} requests ({run.ratio:.1f}×)"
        f" {outcome.restarts} restarts {outcome.seconds:5.1f} s"
    )


def failure(run: Run) -> str:
    """Tell all there is about a run that failed, and how to have it again."""
    seed, provider = run.scenario.seed, run.scenario.shape.provider
    return "\n".join(
        [
            f"seed {seed} on {provider}:",
            *(f"  wrong: {each}" for each in run.wrong),
            "  faults, in order:",
            *(f"    {each}" for each in run.outcome.strokes),
            f"  again: make faults SEED={seed} PROVIDER={provider}",
        ]
    )


def table(runs: Sequence[Run]) -> str:
    """Sum up the runs, a line a provider."""
    rows = [f"{'':8s}{'runs':>6s}{'right':>7s}{'faults':>8s}{'requests ×':>18s}{'writes ×':>16s}"]
    rows[0] += f"{'restarts':>10s}{'seconds':>16s}"
    rows += [_row(each, _of(runs, each)) for each in sorted({_provider(run) for run in runs})]
    return "\n".join(rows)


def write(path: Path, runs: Sequence[Run]) -> None:
    """Write the runs as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = Counter(_kind(stroke) for run in runs for stroke in run.outcome.strokes)
    path.write_text(
        json.dumps(
            {
                "runs": len(runs),
                "right": sum(not run.wrong for run in runs),
                "faults": dict(sorted(kinds.items())),
                "requests_ratio": _spread(run.ratio for run in runs),
                "writes_ratio": _spread(run.writes_ratio for run in runs),
                "seconds": _spread(run.outcome.seconds for run in runs),
                "restarts": sum(run.outcome.restarts for run in runs),
                "each": [_run(run) for run in runs],
            },
            indent=2,
        )
        + "\n"
    )


def _row(name: str, runs: Sequence[Run]) -> str:
    right = sum(not run.wrong for run in runs)
    struck = sum(len(run.outcome.strokes) for run in runs)
    restarts = sum(run.outcome.restarts for run in runs)
    return (
        f"{name:8s}{len(runs):6d}{right:7d}{struck:8d}"
        f"{_spoken(run.ratio for run in runs):>18s}"
        f"{_spoken(run.writes_ratio for run in runs):>16s}"
        f"{restarts:10d}{_spoken(run.outcome.seconds for run in runs):>16s}"
    )


def _spread(values: Iterable[float]) -> dict[str, float]:
    found = sorted(values)
    return {"median": round(median(found), 2), "max": round(found[-1], 2)} if found else {}


def _spoken(values: Iterable[float]) -> str:
    spread = _spread(values)
    return f"{spread['median']:.1f} (max {spread['max']:.1f})"


def _of(runs: Sequence[Run], provider: str) -> list[Run]:
    return [run for run in runs if _provider(run) == provider]


def _provider(run: Run) -> str:
    return run.scenario.shape.provider


def _kind(stroke: str) -> str:
    return stroke.rpartition(": ")[2].partition(" ")[0]


def _run(run: Run) -> dict[str, Any]:
    outcome = asdict(run.outcome)
    del outcome["shape"]
    return {
        "seed": run.scenario.seed,
        "shape": str(run.scenario.shape),
        "mix": run.scenario.mix,
        "requests_without_faults": run.plain.requests,
        "writes_without_faults": run.plain.effects,
        **outcome,
        "wrong": list(run.wrong),
    }
