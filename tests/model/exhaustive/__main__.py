"""Explore every scene, walk through each, and tell states, edges and time (`make model`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from time import monotonic
from typing import Final

from model.exhaustive import reports
from model.exhaustive.reports import Report
from model.exhaustive.scenes import SCENES

LEAST: Final = 200_000
"""Different states that an exploration with the scenes' own faults must reach."""

ROW: Final = "{:<12} {:>6} {:>6} {:>9} {:>10} {:>8} {:>8}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Explore and walk; give the exit code."""
    options = _options(arguments)
    begun = monotonic()
    print(ROW.format("scene", "faults", "walks", "states", "edges", "resting", "CPU s", ""))
    told = []
    context = get_context("spawn")
    with ProcessPoolExecutor(options.workers, context, max_tasks_per_child=1) as pool:
        for future in as_completed(list(_tasks(pool, options))):
            told.append(future.result())
            _show(told[-1])
    return _verdict(told, options, monotonic() - begun)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make model", description=__doc__)
    parser.add_argument("--faults", type=int, help="faults in every scene, instead of its own")
    parser.add_argument("--seed", type=int, default=1, help="of the walks")
    parser.add_argument("--walks", type=int, default=300, help="through each scene")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args(arguments)


def _tasks(pool: ProcessPoolExecutor, options: argparse.Namespace) -> Iterator[Future[Report]]:
    for scene in SCENES:
        faults = scene.faults if options.faults is None else options.faults
        yield pool.submit(reports.explored, scene.with_faults(faults))
    for scene in SCENES:
        yield pool.submit(reports.walked, scene, options.seed, range(options.walks))


def _show(report: Report) -> None:
    print(
        ROW.format(
            report.scene,
            report.faults,
            report.walks or "all",
            report.states,
            report.edges,
            report.resting or "",
            f"{report.seconds:.1f}",
            f"BREACH of {report.rule}" if report.rule else "",
        ),
        flush=True,
    )
    for line in report.lines:
        print(f"    {line}", flush=True)


def _verdict(told: Sequence[Report], options: argparse.Namespace, seconds: float) -> int:
    explored = [report for report in told if not report.walks]
    states = sum(report.states for report in explored)
    edges = sum(report.edges for report in explored)
    walks, moves = sum(r.walks for r in told), sum(r.edges for r in told if r.walks)
    print(
        f"{states} states and {edges} edges explored, {walks} walks of {moves} moves "
        f"with seed {options.seed}, in {seconds:.0f} s"
    )
    if any(report.rule for report in told):
        print("An invariant does not hold.")
        return 1
    if options.faults is None and states < LEAST:
        print(f"Fewer than {LEAST} states: the model has lost something.")
        return 1
    print("Every invariant holds in every state, and every state can still come to rest.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
