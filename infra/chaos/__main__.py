"""Run rollouts under faults: `make chaos RUNS=200 SEED=7`; one again: `make chaos SEED=7 RUN=42`.

The exit code is 0 only when every run that was made ended right, without a breach and without a
request lost that no fault excuses.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from itertools import groupby

from chaos import plans, tables
from chaos.batches import Batch
from chaos.grounds import OUTPUT, Ground, prepared
from chaos.plans import BATCH, Plan
from chaos.results import Results
from chaos.verdicts import Verdict
from devcluster import ClusterError
from proving.helm import HelmError
from proving.histories import LateError
from proving.operators import OperatorError

LONGEST = 45 * 60.0
"""Seconds after which no further batch is begun that may not end in time."""

_NOT_SET_UP = (ClusterError, HelmError, LateError, OperatorError)
"""What keeps a batch from its start; its runs are made by the next call."""

ISOLATED = "DEVCLUSTER_LIFECYCLE"
"""Set where the cluster found is one's own."""


def main() -> int:
    """Make the runs that are asked for and missing, and tell how they went."""
    arguments = _arguments()
    if not os.environ.get(ISOLATED):
        print("this stops whole clusters: run it by `make chaos`", file=sys.stderr)
        return 2
    results = Results(OUTPUT / f"{arguments.seed}.jsonl")
    single = arguments.run is not None
    numbers = [arguments.run] if single else results.missing(arguments.runs)
    wanted = [plans.plan(arguments.seed, number) for number in numbers]
    print(f"seed {arguments.seed}: {len(wanted)} runs to make", flush=True)
    made = _make(wanted, results, single=single)
    done = results.read()
    shown = made if single else [done[each] for each in range(arguments.runs) if each in done]
    print(f"\nseed {arguments.seed}\n{tables.table(shown)}")
    if not single and len(shown) < arguments.runs:
        print(f"{arguments.runs - len(shown)} runs are left: call again with the same seed")
    return 0 if shown and all(each.well for each in shown) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=BATCH)
    parser.add_argument("--seed", type=_seed, default=secrets.randbelow(10_000))
    parser.add_argument("--run", type=lambda text: int(text) if text else None, default=None)
    return parser.parse_args()


def _seed(text: str) -> int:
    return int(text) if text else secrets.randbelow(10_000)


def _make(wanted: list[Plan], results: Results, *, single: bool) -> list[Verdict]:
    if not wanted:
        return []
    began, longest = time.monotonic(), 0.0
    made: list[Verdict] = []
    with prepared(wanted) as ground:
        for number, group in groupby(wanted, key=lambda each: each.number // BATCH):
            since = time.monotonic()
            if since - began + longest > LONGEST:
                break
            batch = list(group)
            try:
                verdicts = _batch(ground, number, batch, told=single)
            except _NOT_SET_UP as error:
                print(f"batch {number} could not be set up and is left: {error}", flush=True)
                continue
            made += verdicts
            if not single:
                for each in verdicts:
                    results.add(each)
            longest = max(longest, time.monotonic() - since)
            print(f"batch {number}: {time.monotonic() - since:.0f} s", flush=True)
    return made


def _batch(ground: Ground, number: int, batch: list[Plan], *, told: bool) -> list[Verdict]:
    print(f"batch {number}: {len(batch)} runs; {batch[0].shared}", flush=True)
    if told:
        print(*batch, sep="\n", flush=True)
    verdicts = Batch(ground, batch).run()
    for plan, verdict in zip(batch, verdicts, strict=True):
        print(_line(verdict), flush=True)
        if not verdict.well:
            print(f"    {plan}", *map(_indented, _faults(verdict)), sep="\n", flush=True)
    return verdicts


def _line(verdict: Verdict) -> str:
    judged = "ok" if verdict.well else "WRONG"
    told = f"  run {verdict.number:<3} {judged:<5} {verdict.fault:<34} {verdict.phase:<24}"
    numbers = f"{verdict.seconds:5.1f} s, {verdict.restarts} restarts, {verdict.requests} requests"
    lost = f", {len(verdict.lost)} lost, {verdict.excused} excused, {verdict.own} its own"
    return told + numbers + lost + (f"; {verdict.excuse}" if verdict.excuse else "")


def _faults(verdict: Verdict) -> list[str]:
    lost = [f"lost: {each}" for each in verdict.lost[:3]]
    return [*([verdict.wrong] if verdict.wrong else []), *verdict.breaches[:5], *lost]


def _indented(text: str) -> str:
    return f"    {text}"


if __name__ == "__main__":
    sys.exit(main())
