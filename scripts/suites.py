"""Run all suites of tests/budget.toml one after the other, and hold them to their time budget.

Every suite runs even if one before it failed, unless it needs that one: one run tells all that is
broken. The last lines are a table of the durations and the sum of the test counts.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
BUDGET = ROOT / "tests" / "budget.toml"
BUILD = ROOT / "build"
ADDONS = "istio,gateway-api,kwok"
"""What the suites use beyond the bare cluster."""

State = Literal["passed", "failed", "late", "skipped"]
Temperature = Literal["cold", "warm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One part of the whole: a command and its limits in seconds."""

    name: str
    command: str
    cold: float
    warm: float
    needs: tuple[str, ...] = ()

    def limit(self, temperature: Temperature) -> float:
        """Give the limit that holds now."""
        return self.cold if temperature == "cold" else self.warm


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a suite went."""

    name: str
    state: State
    seconds: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tests there were."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
        )


def read(budget: Mapping[str, Any]) -> tuple[Suite, ...]:
    """Read the suites of a parsed budget."""
    return tuple(
        Suite(**(entry | {"needs": tuple(entry.get("needs", ()))})) for entry in budget["suite"]
    )


def is_held_up(suite: Suite, results: Iterable[Result]) -> bool:
    """Tell whether something that the suite needs did not pass."""
    return any(one.name in suite.needs and one.state in ("failed", "skipped") for one in results)


def judge(suite: Suite, *, code: int, seconds: float, limit: float) -> Result:
    """Judge a suite by its exit code first, then by its time."""
    state: State = "failed" if code else "late" if seconds > limit else "passed"
    return Result(name=suite.name, state=state, seconds=seconds, limit=limit)


def count(report: str) -> Counts:
    """Count the tests of a JUnit report."""
    counted = Counts()
    for suite in ET.fromstring(report).iter("testsuite"):
        total, failed, errors, skipped = (
            int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
        )
        counted += Counts(
            passed=total - failed - errors - skipped, failed=failed + errors, skipped=skipped
        )
    return counted


def failures(report: str) -> list[str]:
    """Name the failed tests of a JUnit report."""
    return [
        f"{case.get('classname')}::{case.get('name')}"
        for case in ET.fromstring(report).iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]


def table(results: Iterable[Result], *, total: float, limit: float) -> str:
    """Write the durations beside their limits."""
    rows = [
        f"{one.name:<14} {one.state:<8} {one.seconds:>6.0f} s of {one.limit:.0f}" for one in results
    ]
    return "\n".join([*rows, f"{'total':<14} {'':<8} {total:>6.0f} s of {limit:.0f}"])


def closing(counts: Counts) -> str:
    """Write the sum of all tests as one plain line."""
    return f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped"


def main() -> int:
    """Run everything; return 0 only if all passed in time."""
    budget = tomllib.loads(BUDGET.read_text())
    temperature = _temperature()
    print(
        f"the cluster's builds are {'not ' * (temperature == 'cold')}cached: {temperature} limits"
    )
    _empty(BUILD / "junit")
    began = time.monotonic()
    results: list[Result] = []
    for suite in read(budget):
        results.append(_run(suite, results, limit=suite.limit(temperature)))
    total, limit = time.monotonic() - began, float(budget["total"][temperature])
    counts = _counted(results)
    _record(results, temperature=temperature, total=total, limit=limit)
    print("", *(f"FAILED {name}" for name in _failed(results)), sep="\n")
    print(table(results, total=total, limit=limit))
    print(closing(counts))
    well = all(one.state == "passed" for one in results) and total <= limit and not counts.failed
    return 0 if well else 1


def _temperature() -> Temperature:
    sys.path.insert(0, str(ROOT / "infra"))
    from devcluster import addons, choice, source

    if choice.choose(os.environ.get("CLUSTER") or "auto") != "source":
        return "warm"
    needed = source.needed(addons.parse(ADDONS))
    return "warm" if all(recipe.home().is_dir() for recipe in needed) else "cold"


def _run(suite: Suite, results: list[Result], *, limit: float) -> Result:
    if is_held_up(suite, results):
        return Result(name=suite.name, state="skipped", seconds=0.0, limit=limit)
    print(f"\n== {suite.name}: {suite.command}", flush=True)
    began = time.monotonic()
    code = subprocess.run(shlex.split(suite.command), cwd=ROOT, check=False).returncode
    result = judge(suite, code=code, seconds=time.monotonic() - began, limit=limit)
    print(f"== {suite.name}: {result.state} after {result.seconds:.0f} s", flush=True)
    return result


def _counted(results: Iterable[Result]) -> Counts:
    """Add up the reports; a suite that failed without a failed test counts as one."""
    total = Counts()
    for one in results:
        report = _report(one)
        counts = count(report) if report else Counts()
        broken = one.state in ("failed", "late") and not counts.failed
        total += counts + Counts(failed=int(broken), skipped=int(one.state == "skipped"))
    return total


def _failed(results: Iterable[Result]) -> list[str]:
    reports = filter(None, map(_report, results))
    return [name for report in reports for name in failures(report)]


def _report(result: Result) -> str:
    path = BUILD / "junit" / f"{result.name}.xml"
    return path.read_text() if path.exists() else ""


def _record(
    results: Iterable[Result], *, temperature: Temperature, total: float, limit: float
) -> None:
    told = {
        "temperature": temperature,
        "total": {"seconds": round(total, 1), "limit": limit},
        "suites": {
            one.name: {"state": one.state, "seconds": round(one.seconds, 1), "limit": one.limit}
            for one in results
        },
    }
    BUILD.mkdir(exist_ok=True)
    (BUILD / "suites.json").write_text(json.dumps(told, indent=2) + "\n")


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for report in folder.glob("*.xml"):
        report.unlink()


if __name__ == "__main__":
    sys.exit(main())
