"""A rollout in which all goes well, step by step, and what it costs."""

from __future__ import annotations

from collections import Counter

import pytest

from gatewaycanary.api.status import Outcome, Phase, Stage, Verdict
from gatewaycanary.core.decision import RaiseWeight
from model import endings
from model.pictures import RunKey, Scaler
from model.replicas import StatusWrite
from model.specs import SIX, V1, V2, spec
from model.stories import in_phase
from model.worlds import World


def _weights(world: World) -> list[int]:
    return [step.effect.weight for step in world.steps if isinstance(step.effect, RaiseWeight)]


def _effects(world: World) -> Counter[str]:
    return Counter(type(step.effect).__name__ for step in world.steps)


def _status_writes_by_weight(world: World) -> Counter[int]:
    """Count the status writes of the ramp, each by the weight it was decided at."""
    return Counter(
        step.observation.status.state.announced
        for step in world.steps
        if isinstance(step.effect, StatusWrite)
        and step.observation.status.state.stage is Stage.RAMPING
    )


@pytest.mark.parametrize("suites", [0, 1, 2])
def test_six_steps_lead_to_promotion(suites: int) -> None:
    """The weight goes through all six steps, stable gets the image, nothing of ours is left."""
    world = World(spec(suites=suites))
    world.settle()
    status, stable = world.status(), world.now().stable
    assert _weights(world) == list(SIX)
    assert (status.phase, status.state.outcome) == (Phase.SUCCEEDED, Outcome.PROMOTED)
    assert stable is not None
    assert stable.image == status.stable_image == V2
    assert not list(endings.faults(world))


def test_history_tells_each_step_and_its_tests() -> None:
    """The status keeps each step's weight and how many of its tests passed."""
    world = World(spec(suites=1))
    world.settle()
    assert [(step.weight, step.tests_passed) for step in world.status().history] == [
        (weight, 2) for weight in SIX
    ]
    assert all(result.verdict is Verdict.PASSED for result in world.status().tests)
    assert world.status().tests_summary == "2/2"


def test_a_step_without_tests_costs_one_status_write() -> None:
    """At settle 0s the write that records a step announces the next; nothing else is written."""
    world = World(spec(), replicas=1)
    world.settle()
    writes = _status_writes_by_weight(world)
    assert {weight: writes[weight] for weight in SIX} == dict.fromkeys(SIX, 1)


def test_a_step_with_tests_costs_two_status_writes() -> None:
    """With tests one write more: the one that announces the run before it starts."""
    world = World(spec(suites=1), replicas=1)
    world.settle()
    writes = _status_writes_by_weight(world)
    assert {weight: writes[weight] for weight in SIX} == dict.fromkeys(SIX, 2)


def test_a_settle_time_costs_one_status_write_more() -> None:
    """A step that waits writes its read-back weight and phase once."""
    world = World(spec(settle="5s"), replicas=1)
    world.settle()
    writes = _status_writes_by_weight(world)
    assert {weight: writes[weight] for weight in SIX} == dict.fromkeys(SIX, 2)


def test_the_whole_rollout_costs_what_it_must() -> None:
    """One effect each of what is needed once, and not one effect more."""
    world = World(spec(suites=1), replicas=1)
    world.settle()
    counts = _effects(world)
    status_writes = counts.pop("StatusWrite")
    assert counts == {
        "LoadTests": 1,
        "AddFinalizer": 1,
        "CreateCanary": 1,
        "CreateCanaryService": 1,
        "RaiseWeight": 6,
        "AdvanceTests": 12,
        "SetStableImage": 1,
        "WithdrawWeight": 1,
        "RestoreRoute": 1,
        "DeleteCanary": 1,
        "DeleteTests": 1,
        "RemoveFinalizer": 1,
    }
    assert status_writes <= 20


@pytest.mark.parametrize("replicas", [4, 20])
def test_waiting_for_pods_does_not_cost_a_write_a_pod(replicas: int) -> None:
    """However many pods come up one after the other, the status is not written for each."""
    few, many = (
        World(spec(replicas="Full"), replicas=2),
        World(spec(replicas="Full"), replicas=replicas),
    )
    few.settle()
    many.settle()
    assert _effects(many)["StatusWrite"] == _effects(few)["StatusWrite"]


def test_idle_costs_nothing() -> None:
    """At rest another look leads to no effect and asks for none."""
    world = World()
    world.settle()
    done = len(world.steps)
    world.pass_time(100_000)
    world.operator.nudge()
    world.settle()
    assert len(world.steps) == done
    assert world.operator.look_again_at is None


def test_stable_image_already_there_is_nothing_to_do() -> None:
    """A GatewayCanary that asks for what stable runs is Idle and Ready, and owns nothing."""
    world = World(spec(V1))
    world.settle()
    ready = {condition.type: condition.status for condition in world.status().conditions}
    assert world.status().phase is Phase.IDLE
    assert ready["Ready"] == "True"
    assert not list(endings.faults(world))


def test_the_canary_grows_with_the_weight() -> None:
    """Proportional means ceil(weight × baseline), but two where stable has two."""
    world = World(spec(), replicas=4)
    world.settle()
    needs = {
        step.effect.status.state.announced: step.effect.status.state.need
        for step in world.steps
        if isinstance(step.effect, StatusWrite) and step.effect.status.state.stage is Stage.RAMPING
    }
    assert needs == {5: 2, 10: 2, 25: 2, 50: 2, 75: 3, 100: 4}


@pytest.mark.parametrize("policy", [None, "Max", "Disabled"])
def test_the_autoscaler_is_held_and_given_back(policy: str | None) -> None:
    """While traffic shifts the HPA may not scale stable down; afterwards it is as it was."""
    world = World(spec(), scaler=Scaler(policy=policy))
    held: set[str | None] = set()
    world.on(lambda w: w.route_reads() == 50, lambda w: held.add(_policy(w)))
    world.settle()
    assert held == {"Disabled"}
    assert _policy(world) == policy


def _policy(world: World) -> str | None:
    scaler = world.now().scaler
    return scaler.policy if scaler else None


def test_pods_stay_for_the_scale_down_delay() -> None:
    """The canary's pods outlive their traffic by the delay."""
    world = World()
    world.run_to(lambda status: status.state.zero_since is not None)
    since = world.seconds
    world.settle(until=lambda: world.now().canary is None)
    assert world.seconds - since == 30


def test_a_hold_keeps_the_step_for_its_time() -> None:
    """A step with a hold lasts at least so long, and its phase says so."""
    world = World(spec(weights=(50, 100), hold={50: "2m"}))
    world.settle(until=lambda: in_phase(Phase.HOLDING)(world))
    since = world.seconds
    world.settle(until=lambda: world.route_reads() == 100)
    assert world.seconds - since == 120


def test_tests_are_bound_to_revision_step_and_run() -> None:
    """Every step has a run of its own, numbered from 1."""
    world = World(spec(suites=2))
    seen: set[RunKey] = set()
    world.cluster.watchers.append(lambda picture: seen.update(key for key, _ in picture.runs))
    world.settle()
    assert sorted((key.weight, key.suite, key.run) for key in seen) == sorted(
        (weight, suite, suite + 1) for weight in SIX for suite in (0, 1)
    )
