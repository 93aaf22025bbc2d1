"""Whatever goes wrong: traffic returns to the safe side, and the reason is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gatewaycanary.api.status import Outcome, Phase, Stage, Verdict
from gatewaycanary.core.decision import RaiseWeight, SetStableImage, WithdrawWeight
from gatewaycanary.core.observation import PodFault
from model import endings
from model.observing import EVICTED, PASSED
from model.pictures import RunKey
from model.replicas import StatusWrite
from model.specs import SIX, V1, V2, spec
from model.stories import in_phase, reads
from model.worlds import World, failing_at, hanging_at


def _lose_canary(world: World, *, kept: int) -> None:
    canary = world.now().canary
    assert canary is not None
    world.cluster.canary_stuck = True
    lost = canary.ready - kept
    world.cluster.set_canary(replace(canary, ready=kept, unready=canary.unready + lost))


def _lose_stable(world: World) -> None:
    stable = world.now().stable
    assert stable is not None
    world.cluster.stable_stuck = True
    world.cluster.set_stable(replace(stable, ready=0, unready=stable.replicas))


def _edit_route(world: World, weight: int | None) -> None:
    route = world.now().route
    text = "a word" if weight is None else str(weight)
    world.cluster.change(route=replace(route, weight=weight, text=text, version=route.version + 1))


def _failed(world: World, reason: str) -> None:
    status, stable = world.status(), world.now().stable
    assert status.failure is not None
    assert (status.phase, status.failure.reason) == (Phase.FAILED, reason)
    assert world.route_reads() == 0
    assert stable is not None
    assert stable.image == V1
    assert not list(endings.faults(world))


@pytest.mark.parametrize("weight", SIX)
def test_failing_tests_revert_at_each_step(weight: int) -> None:
    """A test that fails at a step takes the traffic off at once, and nothing is raised again."""
    world = World(spec(suites=1))
    world.verdict = failing_at(weight)
    world.settle()
    _failed(world, "TestFailed")
    raised = [s.effect.weight for s in world.steps if isinstance(s.effect, RaiseWeight)]
    assert raised == [one for one in SIX if one <= weight]
    failure, tests = world.status().failure, world.status().tests
    assert failure is not None
    assert (failure.weight, failure.test) == (weight, "suite-0-hook-0")
    assert failure.step == f"{SIX.index(weight) + 1}/6"
    assert [result.log_tail for result in tests if result.verdict is Verdict.FAILED] == [
        "log of 1 tests"
    ]


def test_the_route_is_written_before_the_status() -> None:
    """Traffic first: the route's 0, with the mark, goes out before the failure is recorded."""
    world = World(spec(suites=1))
    world.verdict = failing_at(25)
    world.settle()
    turned = next(
        at
        for at, step in enumerate(world.steps)
        if isinstance(step.effect, StatusWrite)
        and step.effect.status.state.stage is Stage.ROLLING_BACK
    )
    assert world.steps[turned - 1].effect == WithdrawWeight(mark="template-a-1")


def test_a_second_attempt_may_pass() -> None:
    """With attempts: 2 one failed run is repeated under the next number."""
    world = World(spec(suites=1, attempts=2))
    world.verdict = lambda key: "Failed" if (key.weight, key.run) == (25, 1) else PASSED
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert [step.tests_failed for step in world.status().history] == [0, 0, 1, 0, 0, 0]


def test_a_hung_test_fails_at_its_deadline() -> None:
    """A test that never ends is a failure when the suite's time is up, not before."""
    world = World(spec(suites=1))
    world.verdict = hanging_at(10)
    world.settle(until=reads_zero_after(world, 10))
    assert world.seconds == 300
    world.settle()
    _failed(world, "TestTimeout")


def reads_zero_after(world: World, weight: int) -> Callable[[], bool]:
    """Hold when the route reads 0 after it has carried a weight."""
    return lambda: ("template-a-1", weight) in world.ledger.carried and not world.route_reads()


@pytest.mark.parametrize(("times", "phase"), [(3, Phase.SUCCEEDED), (4, Phase.FAILED)])
def test_an_evicted_test_is_no_verdict_but_not_for_ever(times: int, phase: Phase) -> None:
    """A run without a verdict is repeated under the next number, at most three times."""
    world = World(spec(suites=1))
    runs: set[int] = set()

    def verdict(key: RunKey) -> str:
        if key.weight == 25:
            runs.add(key.run)
            return EVICTED if key.run <= times else PASSED
        return PASSED

    world.verdict = verdict
    world.settle()
    assert world.status().phase is phase
    assert runs == {1, 2, 3, 4}


@pytest.mark.parametrize("weight", SIX)
def test_traffic_withdrawn_by_a_person_is_not_raised_again(weight: int) -> None:
    """A 0 that somebody writes into the route is a brake: RollingBack, Failed."""
    world = World()
    world.on(reads(weight), lambda w: _edit_route(w, 0))
    world.settle()
    _failed(world, "TrafficWithdrawn")


def test_a_destination_taken_out_is_a_brake_too() -> None:
    """Our destination taken out of the route is not put in again."""
    world = World()
    world.on(reads(25), _detach)
    world.settle()
    _failed(world, "TrafficWithdrawn")


def _detach(world: World) -> None:
    route = world.now().route
    gone = replace(route, attached=False, weight=None, text="", version=route.version + 1)
    world.cluster.change(route=gone)


@pytest.mark.parametrize("other", [1, 80, None])
def test_drift_is_put_back(other: int | None) -> None:
    """Another weight, or a word, in the route is put back, and told."""
    world = World(spec(suites=1))
    world.on(reads(25), lambda w: _edit_route(w, other))
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert [event.reason for event in world.operator.events].count("Drift") == 1


def test_the_third_correction_within_a_step_is_a_contest() -> None:
    """Who keeps changing the weight gets weight 0, not a fight."""
    world = World(spec(weights=(25, 100), hold={25: "10m"}))
    for _ in range(3):
        world.settle(until=lambda: reads(25)(world) and in_phase(Phase.HOLDING)(world))
        _edit_route(world, 60)
    world.settle()
    _failed(world, "RouteContested")


def test_drift_in_two_steps_is_no_contest() -> None:
    """Corrections are counted within a step."""
    world = World(spec(suites=1))
    for weight in (10, 25, 50):
        world.on(reads(weight), lambda w: _edit_route(w, 60))
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


@pytest.mark.parametrize("failing", [0, 25], ids=["promoted", "failed"])
def test_traffic_that_comes_back_while_finalizing_starts_the_delay_anew(failing: int) -> None:
    """The route must have read 0 for the whole delay before a canary pod goes."""
    world = World(spec(suites=1))
    world.verdict = failing_at(failing)
    world.run_to(lambda status: status.state.zero_since is not None)
    world.pass_time(20)
    _edit_route(world, 30)
    world.settle(until=lambda: world.route_reads() == 0)
    since = world.seconds
    world.settle(until=lambda: world.now().canary is None)
    assert world.seconds - since == 30
    world.settle()
    assert not list(endings.faults(world))


@pytest.mark.parametrize("failing", [0, 25], ids=["promoted", "failed"])
def test_a_conflict_while_finalizing_does_not_shorten_the_delay(failing: int) -> None:
    """When the status cannot be stored, the old moment must not count for the new zero."""
    world = World(spec(suites=1))
    world.verdict = failing_at(failing)
    world.run_to(lambda status: status.state.zero_since is not None)
    world.settle(until=lambda: not world.operator.is_due())
    world.pass_time(20)
    _edit_route(world, 30)
    world.operator.view.catch_up()
    world.operator.pause()
    world.cluster.edit_resource(retry="meanwhile")
    world.settle(until=lambda: world.route_reads() == 0)
    since = world.seconds
    world.settle(until=lambda: world.now().canary is None)
    assert world.seconds - since == 30


@pytest.mark.parametrize("kept", [0, 1])
def test_a_canary_that_loses_its_pods_is_reverted_at_once(kept: int) -> None:
    """Fewer than half of the need, or none: CanaryUnavailable, without waiting."""
    world = World(spec(weights=(100,), hold={100: "10m"}), replicas=4)
    world.on(in_phase(Phase.HOLDING), lambda w: _lose_canary(w, kept=kept))
    world.settle(until=reads_zero_after(world, 100))
    assert world.seconds == 0
    world.settle()
    _failed(world, "CanaryUnavailable")


def test_a_canary_with_half_of_its_pods_gets_the_deadline() -> None:
    """Half of the need holds the step, and is a verdict only after the progress deadline."""
    world = World(spec(weights=(100,), hold={100: "1m"}), replicas=4)
    world.on(in_phase(Phase.HOLDING), lambda w: _lose_canary(w, kept=2))
    world.settle(until=reads_zero_after(world, 100))
    assert world.seconds == 600
    world.settle()
    _failed(world, "ProgressDeadlineExceeded")


def test_a_canary_that_is_never_ready_fails_at_the_deadline() -> None:
    """At weight 0 only the progress deadline runs."""
    world = World()
    world.cluster.canary_stuck = True
    world.settle(until=lambda: world.status().failure is not None)
    assert world.seconds == 600
    world.settle()
    _failed(world, "ProgressDeadlineExceeded")


def test_each_newly_ready_pod_restarts_the_deadline() -> None:
    """A slow canary is no failed one as long as its pods come up."""
    world = World(spec(replicas="Full"), replicas=3)
    world.cluster.canary_stuck = True
    world.settle(until=lambda: world.now().canary is not None)
    for _ in range(3):
        world.pass_time(590)
        _ready_one(world)
        world.operator.view.catch_up()
        world.operator.finish()
        assert world.status().state.stage is not Stage.ROLLING_BACK
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def _ready_one(world: World) -> None:
    canary = world.now().canary
    assert canary is not None
    grown = replace(canary, ready=canary.ready + 1, unready=max(0, canary.unready - 1))
    world.cluster.set_canary(grown, at=world.clock())


def test_a_fault_that_waiting_does_not_mend_is_a_verdict_at_once() -> None:
    """An image that cannot be pulled ends the rollout without waiting for the deadline."""
    world = World()
    world.cluster.canary_stuck = True
    fault = PodFault(reason="ErrImagePull", message="not found")
    world.on(lambda w: w.now().canary is not None, lambda w: w.cluster.fault_canary(fault))
    world.settle(until=lambda: world.status().failure is not None)
    assert world.seconds == 0
    world.settle()
    _failed(world, "ErrImagePull")


def test_both_sides_empty_is_no_verdict() -> None:
    """Nothing is decided or written until one side is back; then the rollout goes on."""
    world = World(spec(weights=(50, 100), hold={50: "1m"}), replicas=2)
    world.run_to(lambda status: status.phase is Phase.HOLDING)
    _lose_canary(world, kept=0)
    _lose_stable(world)
    world.settle()
    done = world.route_reads(), world.status().state.stage
    world.pass_time(5_000)
    world.operator.nudge()
    world.settle()
    assert done == (world.route_reads(), world.status().state.stage) == (50, Stage.RAMPING)
    world.cluster.stable_stuck = world.cluster.canary_stuck = False
    world.settle()
    assert world.status().phase in {Phase.SUCCEEDED, Phase.FAILED}


def test_tests_that_fail_while_nobody_serves_wait_for_their_verdict() -> None:
    """A test cannot but fail while both sides are empty; it counts when one is back."""
    world = World(spec(weights=(50, 100), suites=1), replicas=2)
    world.verdict = hanging_at(50)
    world.run_to(lambda status: status.phase is Phase.TESTING)
    _lose_canary(world, kept=0)
    _lose_stable(world)
    world.verdict = failing_at(50)
    world.settle()
    assert (world.route_reads(), world.status().state.stage) == (50, Stage.RAMPING)
    world.cluster.stable_stuck = False
    world.settle()
    _failed(world, "TestFailed")


def test_an_empty_stable_side_is_waited_for() -> None:
    """With stable empty nothing is raised, and the wait has a name."""
    world = World(spec(weights=(50, 100), hold={50: "1m"}), replicas=2)
    world.run_to(lambda status: status.phase is Phase.HOLDING)
    _lose_stable(world)
    world.settle()
    assert world.route_reads() == 50
    assert "StableUnavailable" in world.status().message
    world.cluster.stable_stuck = False
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_traffic_stays_on_a_failed_canary_while_stable_is_empty() -> None:
    """A revert waits, Stalled, for the first ready endpoint of stable, and goes then."""
    world = World(spec(weights=(50, 100), suites=1), replicas=2)
    world.verdict = hanging_at(50)
    world.run_to(lambda status: status.phase is Phase.TESTING)
    _lose_stable(world)
    world.verdict = failing_at(50)
    world.settle()
    held = {condition.type: condition for condition in world.status().conditions}
    assert world.route_reads() == 50
    assert (held["Stalled"].status, held["Stalled"].reason) == ("True", "StableUnavailable")
    world.cluster.stable_stuck = False
    world.settle()
    _failed(world, "TestFailed")


def test_a_target_gone_in_mid_ramp_is_a_named_wait() -> None:
    """Without its target a rollout raises nothing and says so; when it is back it goes on."""
    world = World(spec(weights=(50, 100), hold={50: "1m"}), replicas=2)
    world.run_to(lambda status: status.phase is Phase.HOLDING)
    stable = world.now().stable
    world.cluster.set_stable(None)
    world.settle()
    assert world.route_reads() == 50
    assert "StableUnavailable" in world.status().message
    world.cluster.set_stable(stable)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_a_failed_image_does_not_start_again_by_itself() -> None:
    """Neither time nor a change of stable starts a failed image again."""
    world = World(spec(suites=1))
    world.verdict = failing_at(5)
    world.settle()
    world.verdict = failing_at(0)
    world.cluster.edit_stable(template="template-b")
    world.pass_time(10_000)
    world.settle()
    _failed(world, "TestFailed")
    assert world.status().state.ordinal == 1
    assert world.status().state.outcome is Outcome.FAILED


def test_a_late_write_to_stable_is_taken_back() -> None:
    """A deposed leader's write to stable that comes after the abort was seen is taken back."""
    world = World(spec(weights=(100,)))
    world.run_to(lambda status: status.state.stage is Stage.PROMOTING)
    late = world.operator
    late.view.catch_up()
    while not isinstance(late.pause(), SetStableImage):
        assert late.under_way is not None, "stable is never written"
    world.operator = world.replica()
    world.cluster.edit_resource(abort="stop")
    world.operator.view.catch_up()
    assert isinstance(world.operator.pause(), WithdrawWeight)
    late.pause()
    stable = world.now().stable
    assert stable is not None
    assert stable.image == V2
    world.settle()
    stable = world.now().stable
    assert stable is not None
    assert (world.status().phase, stable.image) == (Phase.FAILED, V1)
    assert not list(endings.faults(world))
