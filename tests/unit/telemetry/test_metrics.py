"""What the metrics say after a status was stored, and that nothing of an object stays behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from gatewaycanary.api.status import (
    Condition,
    Failure,
    HelmTestResult,
    Outcome,
    Phase,
    Stage,
    State,
    Status,
    StepRecord,
    Verdict,
)
from gatewaycanary.core.observation import Meta
from gatewaycanary.telemetry import records, series
from gatewaycanary.telemetry.metrics import Metrics

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
META = Meta(uid="u1", namespace="shop", name="gateway", generation=1)
OBJECT = {"namespace": "shop", "name": "gateway"}

RAMPING = Status(
    phase=Phase.SHIFTING,
    state=State(stage=Stage.RAMPING, revision="abc-1", recorded=10, announced=25),
    step="3/6",
    weight=10,
    target_weight=25,
    started_at=NOW,
)


def sample(metrics: Metrics, series_name: str, /, **labels: str) -> float | None:
    """Read one sample as Prometheus would."""
    return metrics.registry.get_sample_value(series_name, labels)


@pytest.fixture
def metrics() -> Metrics:
    """Give fresh metrics."""
    return Metrics()


def test_gauges_follow_the_status(metrics: Metrics) -> None:
    """Weight, target weight and step are those of the status that was stored last."""
    metrics.observe_transition(META, Status(), RAMPING)
    assert sample(metrics, "gatewaycanary_weight", **OBJECT) == 10
    assert sample(metrics, "gatewaycanary_target_weight", **OBJECT) == 25
    assert sample(metrics, "gatewaycanary_step", **OBJECT) == 3
    assert sample(metrics, "gatewaycanary_steps", **OBJECT) == 6


@pytest.mark.parametrize("phase", Phase)
def test_exactly_one_phase_is_hot(metrics: Metrics, phase: Phase) -> None:
    """The phase is one-hot over the closed set of phases."""
    metrics.observe_transition(META, RAMPING, replace(RAMPING, phase=phase))
    values = {
        other: sample(metrics, "gatewaycanary_phase", **OBJECT, phase=other) for other in Phase
    }
    assert values == {other: float(other is phase) for other in Phase}


def test_series_vanish_with_the_object(metrics: Metrics) -> None:
    """After `forget` no series names the object, and those of others stay."""
    other = replace(META, name="other")
    turned = replace(RAMPING, state=replace(RAMPING.state, stage=Stage.ROLLING_BACK))
    for meta in (META, other):
        metrics.observe_transition(meta, RAMPING, turned)
    metrics.forget("shop", "gateway")
    text = generate_latest(metrics.registry).decode()
    assert 'name="gateway"' not in text
    assert 'name="other"' in text


def test_a_revert_is_counted_once_by_its_reason(metrics: Metrics) -> None:
    """Turning back counts; staying turned back does not."""
    turned = replace(
        RAMPING,
        state=replace(RAMPING.state, stage=Stage.ROLLING_BACK),
        failure=Failure(reason="TestFailed"),
    )
    metrics.observe_transition(META, RAMPING, turned)
    metrics.observe_transition(META, turned, replace(turned, message="still on its way"))
    assert sample(metrics, "gatewaycanary_reverts_total", **OBJECT, reason="TestFailed") == 1


@pytest.mark.parametrize("reason", ["", "two words", "x" * 65, 'a"b'])
def test_a_reason_that_is_no_word_is_other(metrics: Metrics, reason: str) -> None:
    """A label's value is one bounded word, whatever a failure says."""
    turned = replace(
        RAMPING,
        state=replace(RAMPING.state, stage=Stage.ROLLING_BACK),
        failure=Failure(reason=reason),
    )
    metrics.observe_transition(META, RAMPING, turned)
    assert sample(metrics, "gatewaycanary_reverts_total", **OBJECT, reason="Other") == 1


def test_reasons_of_an_object_are_bounded(metrics: Metrics) -> None:
    """However many reasons there are, an object keeps a bounded number of series."""
    for number in range(100):
        turned = replace(
            RAMPING,
            state=replace(RAMPING.state, stage=Stage.ROLLING_BACK),
            failure=Failure(reason=f"Reason{number}"),
        )
        metrics.observe_transition(META, RAMPING, turned)
    lines = generate_latest(metrics.registry).decode().splitlines()
    kept = [line for line in lines if line.startswith("gatewaycanary_reverts_total{")]
    assert len(kept) == records.REASONS_KEPT + 1
    assert sum(float(line.rpartition(" ")[2]) for line in kept) == 100


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome.PROMOTED, "promoted"),
        (Outcome.FAILED, "failed"),
        (Outcome.ABORTED, "aborted"),
        (Outcome.SUPERSEDED, "superseded"),
        (Outcome.SET_BACK, "set_back"),
        (None, "other"),
    ],
)
def test_an_ended_rollout_is_counted_by_result_and_timed(
    metrics: Metrics, outcome: Outcome | None, result: str
) -> None:
    """The end of a rollout counts once, with its duration from start to completion."""
    finalizing = replace(RAMPING, state=replace(RAMPING.state, stage=Stage.FINALIZING))
    ended = replace(
        finalizing,
        state=replace(finalizing.state, stage=Stage.RESTING, outcome=outcome),
        completed_at=NOW + timedelta(minutes=7),
    )
    metrics.observe_transition(META, finalizing, ended)
    metrics.observe_transition(META, ended, ended)
    assert sample(metrics, "gatewaycanary_rollouts_total", **OBJECT, result=result) == 1
    duration = sample(metrics, "gatewaycanary_rollout_duration_seconds_sum", result=result)
    assert duration == pytest.approx(420)


def test_a_recorded_step_is_timed_with_its_tests(metrics: Metrics) -> None:
    """A record adds the step's duration and those of the tests that it counts."""
    entry = StepRecord(
        weight=25, entered_at=NOW, left_at=NOW + timedelta(seconds=40), tests_passed=1
    )
    passed = HelmTestResult(name="smoke", verdict=Verdict.PASSED, duration_seconds=12)
    recorded = replace(
        RAMPING,
        state=replace(RAMPING.state, recorded=25, announced=50),
        history=(entry,),
        tests=(passed,),
    )
    metrics.observe_transition(META, RAMPING, recorded)
    metrics.observe_transition(META, recorded, replace(recorded, weight=50))
    assert sample(metrics, "gatewaycanary_step_duration_seconds_sum") == pytest.approx(40)
    assert sample(metrics, "gatewaycanary_step_duration_seconds_count") == 1
    assert sample(
        metrics, "gatewaycanary_test_duration_seconds_sum", verdict="passed"
    ) == pytest.approx(12)
    assert sample(metrics, "gatewaycanary_test_duration_seconds_count", verdict="passed") == 1


def test_the_failed_test_of_a_revert_is_timed(metrics: Metrics) -> None:
    """A failed test's duration is kept with the verdict that it led to."""
    failed = HelmTestResult(name="smoke", verdict=Verdict.FAILED, duration_seconds=3)
    turned = replace(
        RAMPING,
        state=replace(RAMPING.state, stage=Stage.ROLLING_BACK, tests_failed=1),
        tests=(failed,),
    )
    metrics.observe_transition(META, RAMPING, turned)
    assert sample(
        metrics, "gatewaycanary_test_duration_seconds_sum", verdict="failed"
    ) == pytest.approx(3)


def test_corrections_count_over_steps(metrics: Metrics) -> None:
    """Corrections add up although the status counts them anew in each step."""
    once = replace(RAMPING, state=replace(RAMPING.state, corrections=1))
    twice = replace(RAMPING, state=replace(RAMPING.state, corrections=2))
    following = replace(RAMPING, state=replace(RAMPING.state, announced=50, corrections=0))
    again = replace(following, state=replace(following.state, corrections=1))
    for old, new in ((RAMPING, once), (once, twice), (twice, following), (following, again)):
        metrics.observe_transition(META, old, new)
    assert sample(metrics, "gatewaycanary_drift_corrections_total", **OBJECT) == 3


def test_divergence_shows_and_goes(metrics: Metrics) -> None:
    """The gauge says whether stable has left the promoted image now."""
    told = Condition(type="Promoted", status="False", reason="StableDiverged")
    diverged = replace(RAMPING, conditions=(told,))
    metrics.observe_transition(META, RAMPING, diverged)
    assert sample(metrics, "gatewaycanary_stable_diverged", **OBJECT) == 1
    metrics.observe_transition(META, diverged, RAMPING)
    assert sample(metrics, "gatewaycanary_stable_diverged", **OBJECT) == 0


def test_an_object_from_before_is_shown_and_counts_nothing(metrics: Metrics) -> None:
    """After a restart the gauges are there at once, and no past event is counted."""
    metrics.observe_existing(META, replace(RAMPING, history=(StepRecord(weight=5),)))
    assert sample(metrics, "gatewaycanary_weight", **OBJECT) == 10
    assert sample(metrics, "gatewaycanary_step_duration_seconds_count") == 0


def test_the_engine_s_own_series(metrics: Metrics) -> None:
    """Queue, requests, errors, leadership, reactions and lag are told by their labels."""
    metrics.follow_queue(("active", "rollback"), {"active": 3, "rollback": 1}.__getitem__)
    metrics.observe_queue_latency("active", 0.02)
    metrics.observe_request("patch", "ingresses", 200, 0.004)
    metrics.observe_request("patch", "ingresses", 0, 10.0)
    metrics.count_error(ValueError("x"))
    metrics.set_leader(leading=True)
    metrics.observe_reaction("revert", 0.03)
    metrics.observe_reconcile(0.001)
    metrics.observe_loop_lag(0.2)
    patched = {"verb": "patch", "resource": "ingresses"}
    assert sample(metrics, "gatewaycanary_queue_depth", priority="active") == 3
    assert sample(metrics, "gatewaycanary_queue_latency_seconds_count", priority="active") == 1
    assert sample(metrics, "gatewaycanary_api_requests_total", **patched, code="200") == 1
    assert sample(metrics, "gatewaycanary_api_requests_total", **patched, code="0") == 1
    assert sample(metrics, "gatewaycanary_api_request_duration_seconds_count", verb="patch") == 2
    assert sample(metrics, "gatewaycanary_errors_total", kind="ValueError") == 1
    assert sample(metrics, "gatewaycanary_leader") == 1
    assert sample(metrics, "gatewaycanary_reaction_seconds_count", kind="revert") == 1
    assert sample(metrics, "gatewaycanary_reconcile_duration_seconds_count") == 1
    assert sample(metrics, "gatewaycanary_loop_lag_seconds_sum") == pytest.approx(0.2)


def test_every_series_of_the_table_is_served_and_no_other(metrics: Metrics) -> None:
    """The table, and so the reference page, names exactly what Prometheus gets."""
    served = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in metrics.registry.collect()
        if metric.name.startswith(series.PREFIX)
    }
    assert served == {one.name for one in (*series.OF_OBJECTS, *series.OF_THE_OPERATOR)}


def test_long_buckets_reach_an_hour() -> None:
    """A rollout of an hour is still told from a longer one."""
    assert series.LONG[-1] == 3600.0
