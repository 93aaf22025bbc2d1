"""Promotion: who gives stable the image, and what if somebody else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gatewaycanary.api.status import Outcome, Phase, Stage
from gatewaycanary.core.decision import RaiseWeight, SetStableImage
from model import endings
from model.replicas import StatusWrite
from model.specs import SIX, V1, V2, V3, spec
from model.stories import in_phase, reads, stable_runs
from model.worlds import World


def _give(image: str) -> Callable[[World], None]:
    return lambda world: world.cluster.edit_stable(image=image)


def _conditions(world: World) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status, one.reason) for one in world.status().conditions}


def _stable_image(world: World) -> str:
    stable = world.now().stable
    assert stable is not None
    return stable.image


def _writes_of_stable(world: World) -> int:
    return sum(isinstance(step.effect, SetStableImage) for step in world.steps)


def test_traffic_stays_on_the_canary_until_stable_has_the_baseline() -> None:
    """Weight 0 is announced only once stable has rolled out and holds the baseline."""
    world = World()
    world.settle()
    for step in world.steps:
        if (
            isinstance(step.effect, StatusWrite)
            and step.effect.status.state.outcome is Outcome.PROMOTED
            and step.observation.status.state.stage is Stage.PROMOTING
        ):
            assert step.observation.target is not None
            assert step.observation.target.rolled_out
            assert step.observation.endpoints.stable >= 3
            return
    pytest.fail("promotion was never announced")


def test_stable_that_does_not_roll_out_is_given_its_old_image_back() -> None:
    """At the progress deadline the promotion fails; traffic returns when stable has recovered."""
    world = World()
    world.cluster.stable_stuck = True
    world.settle(until=lambda: world.status().failure is not None)
    assert world.seconds == 600
    world.cluster.stable_stuck = False
    world.settle()
    failure = world.status().failure
    assert failure is not None
    assert failure.reason == "PromotionDeadlineExceeded"
    assert (world.status().phase, _stable_image(world)) == (Phase.FAILED, V1)


def test_stable_scaled_below_the_baseline_holds_promotion() -> None:
    """A named wait, for as long as it takes; scaled up again, promotion goes on."""
    world = World()
    world.on(reads(100), lambda w: w.cluster.edit_stable(replicas=1))
    world.settle()
    assert _conditions(world)["Reconciling"] == ("True", "StableScaledDown")
    assert _stable_image(world) == V1
    world.cluster.edit_stable(replicas=3)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_a_bigger_stable_raises_the_baseline() -> None:
    """Replicas added on the way count for what the canary must carry."""
    world = World(spec(suites=1))
    world.on(reads(25), lambda w: w.cluster.edit_stable(replicas=5))
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert world.status().state.baseline_replicas == 5


# Handover.


def test_handover_waits_at_rest_for_somebody_else() -> None:
    """At 100 % it is Ready and waits; once stable carries the image, it finishes."""
    world = World(spec(mode="Handover"))
    world.settle()
    assert (world.status().phase, world.route_reads()) == (Phase.AWAITING_HANDOVER, 100)
    assert _conditions(world)["Ready"] == ("True", "AwaitingHandover")
    _give(V2)(world)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert _writes_of_stable(world) == 0


def test_handover_with_trouble_leaves_traffic_where_it_is() -> None:
    """When stable does not become ready: Stalled, StableNotReady, traffic stays."""
    world = World(spec(mode="Handover"))
    world.on(in_phase(Phase.AWAITING_HANDOVER), _give(V2))
    world.cluster.stable_stuck = True
    world.settle()
    assert world.route_reads() == 100
    assert _conditions(world)["Stalled"] == ("True", "StableNotReady")
    world.cluster.stable_stuck = False
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_an_aborted_handover_with_stable_not_ready_stalls() -> None:
    """Aborted after the handover, traffic waits for stable, and a person is told."""
    world = World(spec(mode="Handover"))
    world.on(in_phase(Phase.AWAITING_HANDOVER), _give(V2))
    world.cluster.stable_stuck = True
    world.settle()
    world.cluster.edit_resource(abort="a")
    world.settle()
    assert world.route_reads() == 100
    assert _conditions(world)["Stalled"] == ("True", "StableNotReady")
    world.cluster.stable_stuck = False
    world.settle()
    assert (world.status().phase, _stable_image(world)) == (Phase.IDLE, V2)


# Somebody else.


@pytest.mark.parametrize("weight", SIX[:-1])
def test_somebody_else_gives_stable_the_canarys_image(weight: int) -> None:
    """No more raises; when stable has rolled out, weight 0 and Succeeded."""
    world = World(spec(suites=1))
    world.on(reads(weight), _give(V2))
    world.settle()
    raised = [s.effect.weight for s in world.steps if isinstance(s.effect, RaiseWeight)]
    assert raised[-1] == weight
    assert (world.status().phase, _writes_of_stable(world)) == (Phase.SUCCEEDED, 0)


@pytest.mark.parametrize("weight", SIX)
def test_somebody_else_gives_stable_another_image(weight: int) -> None:
    """Before our write: traffic back, then start over beside the new stable."""
    world = World(spec(suites=1))
    world.on(reads(weight), _give(V3))
    world.settle()
    assert (world.status().phase, world.status().state.ordinal) == (Phase.SUCCEEDED, 2)
    assert _stable_image(world) == V2


@pytest.mark.parametrize("weight", SIX)
def test_a_changed_template_starts_over(weight: int) -> None:
    """Before our write a change of stable's template starts over with the new one."""
    world = World(spec(suites=1))
    world.on(reads(weight), lambda w: w.cluster.edit_stable(template="template-b"))
    world.settle()
    assert (world.status().phase, world.status().revision) == (Phase.SUCCEEDED, "template-b-2")


def test_a_changed_template_after_our_write_changes_nothing() -> None:
    """After our own write to stable it is only told."""
    world = World()
    world.on(stable_runs(V2), lambda w: w.cluster.edit_stable(template="template-b"))
    world.settle()
    assert (world.status().phase, world.status().state.ordinal) == (Phase.SUCCEEDED, 1)


@pytest.mark.parametrize("image", [V1, V3])
def test_a_contested_stable_is_not_rewritten(image: str) -> None:
    """Another image after our write: StableContested, weight 0 when stable is ready, Failed."""
    world = World()
    world.on(lambda w: w.status().state.stable_written, _give(image))
    world.settle()
    failure = world.status().failure
    assert failure is not None
    assert (world.status().phase, failure.reason) == (Phase.FAILED, "StableContested")
    assert (_stable_image(world), _writes_of_stable(world)) == (image, 1)
    assert not list(endings.faults(world))


def test_stable_that_leaves_the_promoted_image_is_told_and_not_fought() -> None:
    """An emergency undo after promotion: StableDiverged, no write; a retry token rolls out."""
    world = World()
    world.settle()
    _give(V1)(world)
    world.settle()
    assert _conditions(world)["Promoted"] == ("False", "StableDiverged")
    assert (world.status().phase, _stable_image(world)) == (Phase.SUCCEEDED, V1)
    assert [event.reason for event in world.operator.events].count("StableDiverged") == 1
    world.cluster.edit_resource(retry="again")
    world.settle()
    assert (world.status().phase, _stable_image(world)) == (Phase.SUCCEEDED, V2)
    assert _conditions(world)["Promoted"][0] == "True"


def test_stable_that_leaves_an_image_never_rolled_out_is_told_too() -> None:
    """Idle, and then stable changes: nothing starts, nothing failed, Stable has diverged."""
    world = World(spec(V1))
    world.settle()
    _give(V3)(world)
    world.settle()
    assert _conditions(world)["Promoted"] == ("False", "StableDiverged")
    assert (world.status().phase, _stable_image(world)) == (Phase.IDLE, V3)


def test_stable_that_comes_back_is_promoted_again() -> None:
    """When stable runs the promoted image again, all is well without a rollout."""
    world = World()
    world.settle()
    for image in (V1, V2):
        _give(image)(world)
        world.settle()
    assert _conditions(world)["Promoted"][0] == "True"
    assert world.status().state.ordinal == 1
