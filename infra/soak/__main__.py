"""Thousands of rollouts through one operator on fake nodes: `make soak`.

The exit code is 0 only if its memory stayed flat over the second half, and no task, file, object
or series of a canary that is gone was left at the end.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time

from devcluster import ClusterError
from proving import grounds
from proving.api import RefusedError
from proving.helm import HelmError
from proving.operators import ROOT, OperatorError
from soak import reports, runs
from soak.lanes import Course

OUTPUT = ROOT / "build" / "soak"
REPORT = ROOT / "build" / "soak.json"

TROUBLES = (ClusterError, HelmError, OSError, OperatorError, RefusedError)
"""What keeps a soak from being run, told without a stack trace."""


def main() -> int:
    """Run a soak and tell how it went."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = _run(chosen)
    except KeyboardInterrupt:
        print("interrupted; all that was started is stopped")
        return 130
    except TROUBLES as error:
        print(f"FAILED: {error}")
        return 1
    reports.write(REPORT, result)
    print(f"\n{reports.table(result)}\nthe numbers: {REPORT.relative_to(ROOT)}")
    found = reports.breaches(result)
    for breach in found:
        print(f"FAILED: {breach}")
    return 1 if found else 0


def _run(chosen: argparse.Namespace) -> runs.Result:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with (
        grounds.prepared() as ground,
        runs.staged(
            ground.cluster, ground.api, credentials=ground.credentials, folder=OUTPUT
        ) as soak,
    ):
        until = time.monotonic() + chosen.minutes * 60
        return soak.run(Course(wanted=chosen.rollouts, until=until), lanes=chosen.lanes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0])
    parser.add_argument("--rollouts", type=int, default=2000, help="how many (default: 2000)")
    parser.add_argument("--lanes", type=int, default=30, help="how many at a time (default: 30)")
    parser.add_argument("--minutes", type=float, default=30, help="at most (default: 30)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
