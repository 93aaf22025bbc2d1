"""The demo's verdict: exit code, closing lines and build/demo.json rest on these rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from demo.course import Step
from demo.reports import Report, Rollout, spoken
from demo.shares import Share
from demo.table import line
from proving.propagation import Propagation


def step(weight: int, canary: int, requests: int = 200) -> Step:
    """Build a finished step."""
    return Step(
        weight=weight,
        since=10.0,
        until=14.5,
        share=Share(weight=weight, requests=requests, canary=canary),
        propagation=Propagation(median=0.1234, least=0.05, most=0.21),
        passed=2,
        failed=(),
    )


GOOD = Report(
    provider="nginx",
    good=Rollout(image="app:2", phase="Succeeded", steps=[step(50, 101), step(100, 200)]),
    bad=Rollout(image="app:3", phase="Failed", steps=[step(5, 11)]),
    reaction=0.0421,
    returned=Propagation(median=0.02, least=0.01, most=0.03),
    requests=5000,
    lost=0,
    route_left=False,
)


def test_a_demo_that_showed_everything_has_no_fault() -> None:
    """Promoted, rolled back, nothing lost, every share as wanted."""
    assert GOOD.faults() == []


def test_each_fault_is_named() -> None:
    """A missing promotion or rollback, a lost request, or a wrong share fails the demo."""
    cases = {
        "app:2 was not promoted": replace(GOOD, good=replace(GOOD.good, phase="Failed")),
        "app:3 was not rolled back": replace(GOOD, bad=replace(GOOD.bad, phase="Succeeded")),
        "3 requests were lost": replace(GOOD, lost=3),
        "a route is not as found": replace(GOOD, breaches=["a route is not as found"]),
        "is not 50 %": replace(GOOD, good=replace(GOOD.good, steps=[step(50, 30)])),
        "is not 100 %": replace(GOOD, good=replace(GOOD.good, steps=[step(100, 0, 0)])),
    }
    for told, report in cases.items():
        (fault,) = report.faults()
        assert told in fault


def test_traffic_left_at_the_bad_canary_is_no_rollback() -> None:
    """A status that says Failed is not enough: the route must have let go."""
    assert not replace(GOOD, route_left=True).rolled_back


def test_the_file_holds_what_programs_read(tmp_path: Path) -> None:
    """build/demo.json carries provider, steps, reaction, propagation, losses and both ends."""
    path = tmp_path / "build" / "demo.json"
    GOOD.write(path)
    written = json.loads(path.read_text())
    assert written["provider"] == "nginx"
    assert [each["weight"] for each in written["steps"]] == [50, 100, 5]
    assert written["steps"][0]["share"] == 50.5
    assert written["steps"][0]["requests"] == 200
    assert written["steps"][0]["tests"] == {"passed": 2, "failed": 0}
    assert written["steps"][0]["propagation_ms"] == {"median": 123.4, "least": 50, "most": 210}
    assert written["revert_propagation_ms"] == {"median": 20, "least": 10, "most": 30}
    assert written["reaction_ms"] == 42.1
    assert (written["lost_requests"], written["promoted"], written["rolled_back"]) == (
        0,
        True,
        True,
    )


def test_what_was_not_measured_is_told_so(tmp_path: Path) -> None:
    """A propagation that the answers do not bear is null for programs and words for people."""
    path = tmp_path / "demo.json"
    replace(GOOD, returned=None).write(path)
    assert json.loads(path.read_text())["revert_propagation_ms"] is None
    assert spoken(None) == "not measured"


def test_a_line_tells_step_weight_share_tests_and_time() -> None:
    """What a person sees of a step stands in one line."""
    shown = line(step(25, 49), number=3, of=6, now=99.0)
    assert "3/6" in shown
    assert "25 %" in shown
    assert "24.5 % (49 of 200)" in shown
    assert "123 ms (50–210)" in shown
    assert "2 passed" in shown
    assert shown.endswith("4.5 s")
