"""Run a demo: `make demo`, or `make demo-stack` for the whole platform.

A good image is followed to its promotion and a bad one to its revert, on a real cluster, with
real traffic. The exit code is 0 only when both happened, no request was lost and every measured
share is the wanted one.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import ModuleType

from demo import gateways, platforms
from demo.course import Course
from demo.providers import PROVIDERS, Provider
from demo.reports import Report, Rollout, spoken
from demo.stage import OUTPUT, WEIGHTS, Plot, Stage
from demo.table import Table
from devcluster import ClusterError
from proving import invariants
from proving.api import RefusedError
from proving.helm import HelmError
from proving.histories import LateError
from proving.operators import ROOT, OperatorError
from proving.propagation import OUTSIDE

PLAYS = {"gateway": gateways, "platform": platforms}
LIMIT = 400.0
"""Seconds that one rollout may take."""

MEANING = (
    "propagation: from the stored route to the first changed share of answers;\n"
    f"             its median, and the bounds that hold with {1 - OUTSIDE:.0%} probability"
)

FAULTS = (
    ClusterError,
    HelmError,
    LateError,
    OSError,
    OperatorError,
    RefusedError,
    subprocess.CalledProcessError,
)
"""What keeps the demo from being shown, told without a stack trace."""


class FailedError(Exception):
    """Raised when the demo did not show what it promises."""


def main() -> int:
    """Run the demo and tell how it went."""
    play_of, provider = _asked()
    plot = play_of.PLOT
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        with play_of.set_up(provider) as stage:
            took, stable = time.monotonic() - began, plot.image(plot.stable)
            print(f"stage set in {took:.0f} s: {stable} serves {plot.space} by {provider.name}\n")
            report = play(stage)
            _judge(report)
    except KeyboardInterrupt:
        print("\ninterrupted; the operator and the stream are stopped")
        return 130
    except (FailedError, *FAULTS) as error:
        print(f"\nFAILED: {error}\n{_where_to_look(plot, provider)}")
        return 1
    print(f"\nall in {time.monotonic() - began:.0f} s; the numbers: build/demo.json")
    return 0


def play(stage: Stage) -> Report:
    """Roll out both images and gather what was seen."""
    good, _ = _follow(stage, stage.plot.good)
    print(f"\n   PROMOTED     {good.image}\n" if good.phase == "Succeeded" else "")
    bad, course = _follow(stage, stage.plot.bad)
    stage.stream.stop()
    report = Report(
        provider=stage.provider.name,
        good=good,
        bad=bad,
        reaction=course.reaction(),
        returned=course.return_propagation(),
        requests=len(stage.stream.answers()),
        lost=len(stage.stream.lost()),
        route_left=course.route_left(),
        breaches=invariants.breaches(stage.history.records()),
    )
    report.write(ROOT / "build" / "demo.json")
    _close(report)
    return report


def _follow(stage: Stage, tag: str) -> tuple[Rollout, Course]:
    image = stage.plot.image(tag)
    print(f"applied: image {image}")
    course = Course(
        history=stage.history,
        stream=stage.stream,
        name=stage.plot.canary,
        image=image,
        began=time.monotonic(),
    )
    stage.apply(tag)
    table, end = Table(of=len(WEIGHTS)), time.monotonic() + LIMIT
    while not course.ended() and time.monotonic() < end:
        table.show(course.steps(), note=f"   {course.status().get('message', 'starting')}")
        with suppress(LateError):
            stage.history.wait("the rollout ends", course.ended, timeout=0.5)
    table.show(course.steps(), over=True)
    status = course.status()
    if told := stage.settle(tag):
        raise FailedError(told)
    rollout = Rollout(
        image=image,
        phase=str(status.get("phase", "")),
        steps=course.steps(),
        message=str(status.get("message", "nothing was said about it")),
    )
    return rollout, course


def _close(report: Report) -> None:
    if report.reaction is not None:
        print(f"   revert: {report.reaction * 1000:.0f} ms from the failed test pod to weight 0")
    print(f"   its propagation: {spoken(report.returned)}")
    print(f"   why: {report.bad.message}")
    if report.rolled_back:
        print(f"\n   ROLLED BACK  {report.bad.image}\n")
    print(f"requests lost during the whole demo: {report.lost} of {report.requests}")
    print(f"invariants broken by what was stored: {len(report.breaches)}")
    print(MEANING)


def _judge(report: Report) -> None:
    faults = report.faults()
    if faults:
        raise FailedError("; ".join(faults))


def _where_to_look(plot: Plot, provider: Provider) -> str:
    kinds = f"gatewaycanary,deployment,{provider.route},pod,event"
    return (
        f"the operator's log: {OUTPUT / 'operator.log'}\n"
        f"the objects: kubectl -n {plot.space} get {kinds}\n"
        "the cluster: make cluster-status"
    )


def _asked() -> tuple[ModuleType, Provider]:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0])
    known = ", ".join(PROVIDERS)
    parser.add_argument(
        "--provider",
        default=os.environ.get("PROVIDER") or "nginx",
        help=f"how traffic is split: {known} (default: the variable PROVIDER, else nginx)",
    )
    parser.add_argument("--of", choices=sorted(PLAYS), default="gateway", help="what is shown")
    given = parser.parse_args()
    of: str = given.of
    can = platforms.PROVIDERS if of == "platform" else tuple(PROVIDERS)
    if given.provider not in can:
        parser.error(f"PROVIDER={given.provider} is not known; use one of {', '.join(can)}")
    return PLAYS[of], PROVIDERS[given.provider]


if __name__ == "__main__":
    sys.exit(main())
