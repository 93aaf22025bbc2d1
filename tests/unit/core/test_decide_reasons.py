"""Which reason turns a rollout back when there are several, and what is judged first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatewaycanary.api.status import Outcome, Stage
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import LoadTests, WithdrawWeight
from gatewaycanary.core.observation import (
    Endpoints,
    PodFault,
    Problem,
    RouteView,
    RunPhase,
    RunView,
)
from unit.core.observed import NOW, OLD, REVISION, ago, observed, position, spec

GAP = Problem(reason="PolicyGap", object="NetworkPolicy a", message="no")
CONTRADICTION = Problem(reason="Contradiction", object="", message="no", immediate=True)
META = observed().meta
FAILED = RunView(phase=RunPhase.FAILED, failed_test="smoke", message="exit 1")
MARKED = RouteView(attached=True, weight=0, text="0", version="8", withdrawn=REVISION)

RANKED: list[tuple[str, dict[str, Any]]] = [
    ("Deleted", {"meta": replace(META, deleting=True, abort="now")}),
    ("Aborted", {"meta": replace(META, abort="now")}),
    ("TrafficWithdrawn", {"route": RouteView(attached=True, weight=0, text="0", version="8")}),
    ("Superseded", {"spec": spec("app:3")}),
    ("Contradiction", {"problems": (GAP, CONTRADICTION)}),
    ("TestFailed", {"tests": FAILED}),
    ("CanaryUnavailable", {"endpoints": Endpoints(stable=4)}),
    (
        "CrashLoopBackOff",
        {
            "endpoints": Endpoints(
                stable=4, canary=2, canary_fault=PodFault(reason="CrashLoopBackOff", message="3")
            )
        },
    ),
]


def reason(**changes: Any) -> str:
    """Decide, and give the failure's reason."""
    failure = decide(observed(**changes)).status.failure
    return failure.reason if failure else ""


@pytest.mark.parametrize(("wanted", "changes"), RANKED, ids=[name for name, _ in RANKED])
def test_each_reason_turns_back_and_takes_the_traffic_off(
    wanted: str, changes: dict[str, Any]
) -> None:
    """Whatever the reason: stage RollingBack, and weight 0 with the mark where any flows."""
    observation = observed(**changes)
    decision = decide(observation)
    assert reason(**changes) == wanted
    assert decision.status.state.stage is Stage.ROLLING_BACK
    flows = observation.route.weight != 0
    assert decision.urgent == ((WithdrawWeight(mark=REVISION),) if flows else ())


@pytest.mark.parametrize("rank", range(len(RANKED) - 1))
def test_the_earlier_reason_is_told(rank: int) -> None:
    """A person's word comes before the route, that before what changed, that before what broke."""
    wanted, first = RANKED[rank]
    for _, second in RANKED[rank + 1 :]:
        assert reason(**{**second, **first}) == wanted


def test_a_test_that_passed_late_has_passed() -> None:
    """Gates are judged before deadlines: success seen late is success."""
    late = position(run_started_at=ago(10_000))
    passed = decide(observed(late, tests=RunView(phase=RunPhase.PASSED)))
    running = decide(observed(late, tests=RunView(phase=RunPhase.RUNNING)))
    assert passed.status.state.recorded == 25
    assert running.status.failure is not None
    assert running.status.failure.reason == "TestTimeout"


def test_pods_ready_late_are_ready() -> None:
    """A canary that has what it needs is never too late."""
    late = position(short_since=ago(10_000), suites_passed=True)
    assert decide(observed(late)).status.state.recorded == 25
    assert reason(state=late, endpoints=Endpoints(stable=4, canary=1)) == "ProgressDeadlineExceeded"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.FAILED),
        ({"tests": FAILED}, Outcome.FAILED),
        ({"spec": spec("app:3")}, Outcome.SUPERSEDED),
        ({"spec": spec(OLD)}, Outcome.SET_BACK),
        ({"problems": (CONTRADICTION,)}, Outcome.INVALID),
        ({"meta": replace(META, abort="now")}, Outcome.ABORTED),
    ],
)
def test_an_unfinished_revert_ends_as_it_would_have(
    changes: dict[str, Any], outcome: Outcome
) -> None:
    """Our own mark says only that a status write is missing; the reason is asked for again."""
    assert decide(observed(route=MARKED, **changes)).status.state.outcome is outcome


def test_an_unfinished_revert_reads_the_tests_before_it_gives_a_reason() -> None:
    """A new process knows no verdict yet: traffic is off, so there is time to read it."""
    decision = decide(observed(route=MARKED, tests=RunView(phase=RunPhase.UNLOADED)))
    assert decision.actions == (LoadTests(),)
    assert decision.status.state.stage is Stage.RAMPING
    failed = decide(observed(route=MARKED, tests=FAILED)).status
    assert failed.failure is not None
    assert (failed.failure.reason, failed.failure.test) == ("TestFailed", "smoke")
    assert failed.state.evidence_pending


def test_a_mark_with_traffic_takes_it_off_before_anything_is_read() -> None:
    """A marked route that carries a weight again is written first."""
    route = replace(MARKED, weight=30, text="30")
    decision = decide(observed(route=route, tests=RunView(phase=RunPhase.UNLOADED)))
    assert decision.urgent == (WithdrawWeight(mark=REVISION),)


def test_another_revisions_mark_is_not_ours() -> None:
    """The mark of an earlier rollout stops nothing."""
    route = replace(MARKED, weight=25, text="25", withdrawn="hash-0")
    decision = decide(observed(route=route, tests=RunView(phase=RunPhase.RUNNING)))
    assert decision.status.state.stage is Stage.RAMPING


def test_a_problem_with_another_object_waits_a_minute() -> None:
    """The grace is counted from when it was first seen, and stored."""
    first = decide(observed(problems=(GAP,)))
    assert first.status.failure is None
    assert first.status.state.problem_since == NOW
    assert first.requeue_after is not None
    assert first.requeue_after.total_seconds() == 60
    assert reason(state=position(problem_since=ago(60)), problems=(GAP,)) == "PolicyGap"


def test_a_problem_that_went_is_forgotten() -> None:
    """A later one has a grace of its own."""
    gone = decide(observed(position(problem_since=ago(50))))
    assert gone.status.state.problem_since is None
