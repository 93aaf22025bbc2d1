"""What a decision says: one sentence, conditions that follow kstatus, texts that can be stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatewaycanary.api.status import (
    Failure,
    HelmTestResult,
    Outcome,
    Phase,
    Stage,
    Verdict,
    dump_status,
    parse_status,
)
from gatewaycanary.core.decide import decide
from gatewaycanary.core.observation import Observation, Problem, RouteView, RunPhase, RunView
from unit.core.observed import ago, conditions, observed, position, settled, spec

RUNNING = RunView(phase=RunPhase.RUNNING)


def keeping(log: str) -> Observation:
    """Observe a failed rollout whose log has just been read."""
    state = position(
        stage=Stage.FINALIZING, outcome=Outcome.FAILED, evidence_pending=True, zero_since=ago(1)
    )
    at = observed(state, route=RouteView(attached=True, weight=0), tests=RunView(log_tail=log))
    failed = HelmTestResult(name="smoke", verdict=Verdict.FAILED)
    failure = Failure(reason="TestFailed", test="smoke", weight=25)
    return replace(at, status=replace(at.status, tests=(failed,), failure=failure))


def test_the_sentence_is_the_same_everywhere() -> None:
    """Summary, message and condition say the same."""
    decision = decide(observed(tests=RUNNING))
    assert decision.summary == decision.status.message
    assert conditions(decision.status)["Reconciling"].message == decision.summary


def test_an_event_says_the_sentence_too() -> None:
    """The event of a revert carries the decision's sentence."""
    decision = decide(observed(tests=RunView(phase=RunPhase.FAILED, failed_test="smoke")))
    assert [event.message for event in decision.events] == [decision.summary]
    assert decision.events[0].warning


@pytest.mark.parametrize(
    ("observation", "held"),
    [
        (observed(tests=RUNNING), "Reconciling"),
        (observed(position(stage=Stage.RESTING), spec=spec("app:1")), "Ready"),
        (observed(position(stage=Stage.RESTING, outcome=Outcome.FAILED)), "Stalled"),
        (
            observed(
                position(stage=Stage.RESTING, image=""),
                problems=(Problem(reason="A", object="", message="no", immediate=True),),
            ),
            "Stalled",
        ),
    ],
    ids=["testing", "idle", "failed", "invalid"],
)
def test_one_of_three_conditions_is_true(observation: Observation, held: str) -> None:
    """Reconciling while it works, Ready at rest, Stalled when a person must act; never two."""
    found = conditions(decide(observation).status)
    assert {
        kind for kind in ("Ready", "Reconciling", "Stalled") if found[kind].status == "True"
    } == {held}


def test_conditions_keep_the_time_of_their_last_change() -> None:
    """A condition that stays as it is keeps its transition time."""
    once = settled(observed(tests=RUNNING))
    later = replace(once, now=ago(-60), tests=RunView(phase=RunPhase.FAILED))
    before, after = conditions(once.status), conditions(decide(later).status)
    kept = before["Ready"].last_transition_time
    assert after["Ready"].last_transition_time == kept
    assert after["Reconciling"].last_transition_time == kept


def test_the_generation_is_the_one_that_was_seen() -> None:
    """Status and conditions carry the generation they are about."""
    at = observed(tests=RUNNING)
    status = decide(replace(at, meta=replace(at.meta, generation=7))).status
    assert status.observed_generation == 7
    assert {one.observed_generation for one in status.conditions} == {7}


def test_deciding_again_changes_nothing() -> None:
    """The status that was stored is the status that is decided again."""
    once = settled(observed(tests=RUNNING))
    assert decide(once).status == once.status


@pytest.mark.parametrize("log", ["x" * 5_000, "\n", "one\ntwo\n"])
def test_a_log_of_any_length_can_be_stored(log: str) -> None:
    """A log tail is cut to what the schema takes; its end is what counts."""
    status = decide(keeping(log)).status
    assert parse_status(dump_status(status)) == status
    assert log.endswith(status.tests[0].log_tail)
    assert not status.state.evidence_pending


def test_a_problem_of_any_length_can_be_told() -> None:
    """An overlong message is cut, and raises nothing."""
    problem = Problem(reason="A", object="B", message="y" * 40_000, immediate=True)
    status = decide(observed(problems=(problem,))).status
    assert parse_status(dump_status(status)) == status


def test_evidence_is_kept_before_anything_is_deleted() -> None:
    """The log is in the status first; the failed test's objects go after that."""
    decision = decide(keeping("the end"))
    assert decision.status.tests[0].log_tail == "the end"
    assert not decision.actions
    assert [event.reason for event in decision.events] == ["TestLog"]


def test_step_and_weights_are_told() -> None:
    """Step, wanted weight and the weight that was read back stand in the status."""
    status = decide(observed(tests=RUNNING)).status
    assert (status.step, status.target_weight, status.weight) == ("3/6", 25, 25)
    unread = decide(observed(route=RouteView(attached=True, text="a word", version="8"))).status
    assert unread.weight is None


@pytest.mark.parametrize("suspend", [True, False])
def test_a_suspended_rollout_is_called_so(*, suspend: bool) -> None:
    """Suspended where it would raise, Shifting where it raises."""
    at = observed(tests=RunView(phase=RunPhase.PASSED), spec=spec(suspend=suspend))
    assert decide(at).status.phase is (Phase.SUSPENDED if suspend else Phase.SHIFTING)


def test_a_sentence_without_end_is_cut() -> None:
    """A list in it may be as long as somebody's object; the status says it in several places."""
    endless = Problem(reason="A", object="Ingress a", message="b, " * 100_000, immediate=True)
    decision = decide(observed(problems=(endless,)))
    said = decision.status
    assert said.failure is not None
    for text in (said.message, said.failure.message, conditions(said)["Ready"].message):
        assert len(text) == 2048
        assert text.endswith("…")


def test_a_problem_that_holds_a_raise_is_what_is_waited_for() -> None:
    """While its grace lasts nothing is reverted, and the wait is told by its cause."""
    strange = Problem(reason="Strange", object="Ingress a", message="it is strange")
    state = position(stage=Stage.PREPARING, announced=0, recorded=0)
    said = decide(observed(state, problems=(strange,))).status
    assert said.message == "Ingress a: it is strange"
    assert conditions(said)["Reconciling"].reason == "Strange"
