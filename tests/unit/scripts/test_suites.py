"""How the suites are judged, counted and summed up."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import suites
from suites import Counts, Result, Suite

ROOT = Path(__file__).resolve().parents[3]
SUITE = Suite(name="e2e", command="make test-e2e", cold=20, warm=10, needs=("cluster",))


def result(state: suites.State, *, name: str = "cluster", seconds: float = 1.0) -> Result:
    """Make a result."""
    return Result(name=name, state=state, seconds=seconds, limit=10)


def test_the_budget_can_be_kept() -> None:
    """The project promises 75 minutes cold, 40 warm, and 2 for the fast suite."""
    budget = tomllib.loads(suites.BUDGET.read_text())
    listed = suites.read(budget)
    assert budget["total"] == {"cold": 75 * 60, "warm": 40 * 60}
    assert sum(suite.cold for suite in listed) <= budget["total"]["cold"]
    assert {suite.name: suite.warm for suite in listed}["fast"] <= 120
    assert all(suite.warm <= suite.cold for suite in listed)


def test_the_budget_s_commands_are_targets() -> None:
    """Every suite runs a target of the Makefile, and needs only suites before it."""
    makefile = (ROOT / "Makefile").read_text()
    makefile += (ROOT / "infra" / "devcluster" / "cluster.mk").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))
    seen: set[str] = set()
    for suite in suites.read(tomllib.loads(suites.BUDGET.read_text())):
        program, target, *_variables = suite.command.split()
        assert program == "make"
        assert target in targets
        assert seen >= set(suite.needs)
        seen.add(suite.name)


def test_the_cluster_is_started_with_what_the_suites_use() -> None:
    """Whether a run is cold is told by the builds of the very addons that it starts."""
    listed = suites.read(tomllib.loads(suites.BUDGET.read_text()))
    start = {suite.name: suite.command for suite in listed}["start"]
    assert start == f"make cluster-up ADDONS={suites.ADDONS}"


@pytest.mark.parametrize(
    ("code", "seconds", "state"),
    [(0, 9.0, "passed"), (0, 11.0, "late"), (1, 9.0, "failed"), (5, 99.0, "failed")],
)
def test_a_suite_is_judged_by_its_code_then_by_its_time(
    code: int, seconds: float, state: str
) -> None:
    """Late is a failure of its own; no tests at all (exit 5) is a failure."""
    assert suites.judge(SUITE, code=code, seconds=seconds, limit=10).state == state


@pytest.mark.parametrize(
    ("results", "held_up"),
    [
        ([], False),
        ([result("passed")], False),
        ([result("late")], False),
        ([result("failed")], True),
        ([result("skipped")], True),
        ([result("failed", name="lint")], False),
    ],
)
def test_a_suite_waits_for_what_it_needs(results: list[Result], held_up: bool) -> None:
    """Only what it needs, and only where that did not work, keeps a suite from running."""
    assert suites.is_held_up(SUITE, results) is held_up


def test_limits_depend_on_what_is_built() -> None:
    """A cold run may take longer."""
    assert (SUITE.limit("cold"), SUITE.limit("warm")) == (20, 10)


def test_reports_are_counted() -> None:
    """Errors count as failures, skipped tests on their own."""
    report = '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>'
    assert suites.count(report) == Counts(passed=3, failed=3, skipped=3)
    assert suites.count(report) + Counts(passed=1) == Counts(passed=4, failed=3, skipped=3)


def test_failed_tests_are_named() -> None:
    """Whoever reads the end of a run sees which tests failed."""
    report = (
        '<testsuites><testsuite><testcase classname="a.b" name="c"><failure/></testcase>'
        '<testcase classname="a.b" name="d"/></testsuite></testsuites>'
    )
    assert suites.failures(report) == ["a.b::c"]


def test_the_last_line_is_the_plain_one() -> None:
    """Whoever reads the end of a run finds the sums alone on a line."""
    assert suites.closing(Counts(passed=7, failed=0, skipped=1)) == "7 passed, 0 failed, 1 skipped"


def test_the_table_sets_durations_beside_limits() -> None:
    """Every suite and the total stand there with their limits."""
    lines = suites.table([result("passed", seconds=3)], total=5, limit=40).splitlines()
    assert [line.split() for line in lines] == [
        ["cluster", "passed", "3", "s", "of", "10"],
        ["total", "5", "s", "of", "40"],
    ]
