"""The tests' gate: which run is announced, and what its verdict leads to.

A run is named by (revision, weight, suite, run); its number rises with every new run in a step, so
that no run ever meets another's objects. A failed run uses up an attempt, an interrupted one does
not, but may be repeated only so often.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import State, Verdict
from gatewaycanary.core.decision import Action, AdvanceTests, LoadTests
from gatewaycanary.core.observation import Observation, RunPhase

INTERRUPTIONS_ALLOWED = 3


class Gate(Enum):
    """How the tests' gate stands."""

    OPEN = auto()
    WAITING = auto()
    FAILED = auto()


def reset(state: State) -> State:
    """Forget the runs of the step before."""
    return replace(
        state,
        suite=0,
        run=0,
        run_started_at=None,
        attempt=0,
        interruptions=0,
        suites_passed=False,
        tests_passed=0,
        tests_failed=0,
    )


def follow(observation: Observation, state: State, spec: GatewayCanarySpec) -> tuple[Gate, State]:
    """Go on with the step's test runs."""
    if not spec.tests or state.suites_passed:
        return Gate.OPEN, state
    if state.run == 0:
        return Gate.WAITING, _next_run(state, observation.now, suite=0)
    run = observation.tests
    if run.phase is RunPhase.PASSED:
        return _passed(observation, _counted(observation, state), spec)
    if run.phase is RunPhase.FAILED:
        return _failed(observation, _counted(observation, state), spec)
    if run.phase is RunPhase.INTERRUPTED:
        return _interrupted(observation, state)
    late = overdue(state, spec, observation.now)
    return (Gate.FAILED if late else Gate.WAITING), state


def _next_run(state: State, now: datetime, *, suite: int) -> State:
    return replace(
        state, suite=suite, run=state.run + 1, run_started_at=now, attempt=1, interruptions=0
    )


def _counted(observation: Observation, state: State) -> State:
    results = observation.tests.results
    return replace(
        state,
        tests_passed=state.tests_passed + sum(r.verdict is Verdict.PASSED for r in results),
        tests_failed=state.tests_failed + sum(r.verdict is Verdict.FAILED for r in results),
    )


def _passed(observation: Observation, state: State, spec: GatewayCanarySpec) -> tuple[Gate, State]:
    if state.suite + 1 < len(spec.tests):
        return Gate.WAITING, _next_run(state, observation.now, suite=state.suite + 1)
    return Gate.OPEN, replace(state, suites_passed=True)


def _failed(observation: Observation, state: State, spec: GatewayCanarySpec) -> tuple[Gate, State]:
    suite = spec.tests[state.suite] if state.suite < len(spec.tests) else None
    if suite is None or state.attempt >= suite.attempts:
        return Gate.FAILED, state
    again = replace(
        state, run=state.run + 1, run_started_at=observation.now, attempt=state.attempt + 1
    )
    return Gate.WAITING, again


def _interrupted(observation: Observation, state: State) -> tuple[Gate, State]:
    if state.interruptions >= INTERRUPTIONS_ALLOWED:
        return Gate.FAILED, state
    again = replace(
        state,
        run=state.run + 1,
        run_started_at=observation.now,
        interruptions=state.interruptions + 1,
    )
    return Gate.WAITING, again


def due_at(state: State, spec: GatewayCanarySpec) -> datetime | None:
    """Give the moment at which the running suite is out of time."""
    if state.run_started_at is None or state.suite >= len(spec.tests):
        return None
    timeout: timedelta = spec.tests[state.suite].timeout
    return state.run_started_at + timeout


def overdue(state: State, spec: GatewayCanarySpec, now: datetime) -> bool:
    """Tell whether the running suite is out of time; no deadline runs while suspended."""
    due = due_at(state, spec)
    return due is not None and state.suspended_at is None and now >= due


def effects(observation: Observation, state: State) -> tuple[Action, ...]:
    """Give the effects of the announced run."""
    run = observation.tests
    if run.phase is RunPhase.UNLOADED:
        return (LoadTests(),)
    announced = observation.status.state.run == state.run and state.run > 0
    if announced and not run.work:
        return ()
    return (AdvanceTests(weight=state.announced, suite=state.suite, run=state.run),)


def verdict(observation: Observation, state: State) -> tuple[str, str, str]:
    """Say why the gate failed: reason, message, test."""
    run = observation.tests
    if run.phase is RunPhase.INTERRUPTED:
        return "TestInterrupted", f"Tests were interrupted too often: {run.message}", "(suite)"
    if run.phase is RunPhase.FAILED:
        name = run.failed_test or "(suite)"
        reason = run.reason or "TestFailed"
        return reason, f"Test {name} failed at {state.announced} %: {run.message}", name
    running = next((r.name for r in run.results if r.verdict is Verdict.RUNNING), "(suite)")
    return "TestTimeout", f"Tests ran out of time at {state.announced} %", running
