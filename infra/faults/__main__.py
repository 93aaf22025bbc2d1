"""Roll out through faults, many seeds of them: `make faults`.

Each seed is one rollout with an operator and a proxy of its own, several at a time. The exit code
is 0 only if every one of them ended right, broke no invariant and sent few requests.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Lock

from devcluster import ClusterError
from faults import reports, rollouts
from faults.judgements import judge
from faults.reports import Run
from faults.rollouts import Outcome, Place
from faults.scenarios import PROVIDERS, Scenario, Shape, scenario
from proving import grounds
from proving.api import RefusedError
from proving.helm import HelmError
from proving.operators import ROOT, OperatorError

OUTPUT = ROOT / "build" / "faults"
REPORT = ROOT / "build" / "faults.json"

TROUBLES = (ClusterError, HelmError, OSError, OperatorError, RefusedError)
"""What keeps the rollouts from being tried, told without a stack trace."""


class Plain:
    """The rollouts without faults that others are measured against; each is run once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = Lock()
        self._locks: dict[Shape, Lock] = {}
        self._found: dict[Shape, Outcome] = {}

    def of(self, shape: Shape) -> Outcome:
        """Give the outcome of a rollout of this shape."""
        with self._lock:
            lock = self._locks.setdefault(shape, Lock())
        with lock:
            if shape not in self._found:
                self._found[shape] = rollouts.run(self._place, shape, None)
            return self._found[shape]


def main() -> int:
    """Run the seeds and tell how they went."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    seeds = [chosen.seed] if chosen.seed is not None else range(1, chosen.seeds + 1)
    wanted = [scenario(seed, each) for seed in seeds for each in chosen.provider]
    try:
        with _place() as place:
            runs = _play(place, wanted, jobs=chosen.jobs)
    except KeyboardInterrupt:
        print("interrupted; all that was started is stopped")
        return 130
    except TROUBLES as error:
        print(f"FAILED: {error}")
        return 1
    reports.write(REPORT, runs)
    failed = [run for run in runs if run.wrong]
    for run in failed:
        print(f"\n{reports.failure(run)}")
    print(f"\n{reports.table(runs)}\n")
    print(f"all in {time.monotonic() - began:.0f} s; the numbers: {REPORT.relative_to(ROOT)}")
    return 1 if failed else 0


def _play(place: Place, wanted: list[Scenario], *, jobs: int) -> list[Run]:
    plain, runs = Plain(place), []
    with ThreadPoolExecutor(jobs) as pool:
        coming = [pool.submit(_run, place, plain, each) for each in wanted]
        try:
            for done in as_completed(coming):
                runs.append(done.result())
                print(f"{len(runs):4d}/{len(wanted)} {reports.line(runs[-1])}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    return sorted(runs, key=lambda run: (run.scenario.shape.provider, run.scenario.seed))


def _run(place: Place, plain: Plain, wanted: Scenario) -> Run:
    without = plain.of(wanted.shape)
    outcome = rollouts.run(place, wanted.shape, wanted.plan)
    wrong = [f"without faults: {each}" for each in without.troubles] + judge(outcome, without)
    return Run(scenario=wanted, outcome=outcome, plain=without, wrong=wrong)


@contextmanager
def _place() -> Iterator[Place]:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with grounds.prepared() as ground:
        yield Place(
            cluster=ground.cluster, api=ground.api, credentials=ground.credentials, folder=OUTPUT
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds (default: 100)")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument(
        "--provider",
        action="append",
        choices=PROVIDERS,
        help="how traffic is split (default: every seed on each of them)",
    )
    parser.add_argument("--jobs", type=int, default=4, help="how many at a time (default: 4)")
    found = parser.parse_args()
    found.provider = found.provider or list(PROVIDERS)
    return found


if __name__ == "__main__":
    sys.exit(main())
