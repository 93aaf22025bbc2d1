"""What people do to a rollout: abort, approve, retry, another image, suspend, delete."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gatewaycanary.api.status import Outcome, Phase, Stage
from gatewaycanary.core.decision import RaiseWeight, SetStableImage
from gatewaycanary.core.observation import Problem
from model import endings
from model.specs import SIX, V1, V2, V3, spec
from model.stories import in_phase, reads, stable_runs
from model.worlds import World, failing_at

Moment = Callable[[World], bool]
AT_EACH_WEIGHT = [reads(weight) for weight in SIX]


def _image(image: str, **options: object) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.cluster.edit_resource(spec=spec(image, **options), spec_changed=True)  # type: ignore[arg-type]

    return act


def _suspend(*, suspend: bool, **options: object) -> Callable[[World], None]:
    return _image(V2, suspend=suspend, **options)


def _abort(world: World) -> None:
    world.cluster.edit_resource(abort="a")


def _retry(token: str) -> Callable[[World], None]:
    return lambda world: world.cluster.edit_resource(retry=token)


def _delete(world: World) -> None:
    resource = world.now().resource
    assert resource is not None
    if resource.finalizer:
        world.cluster.edit_resource(deleting=True)
    else:
        world.cluster.change(resource=None)


def _stable_image(world: World) -> str:
    stable = world.now().stable
    assert stable is not None
    return stable.image


def _finalizing(world: World) -> bool:
    return world.now().resource is not None and world.status().state.stage is Stage.FINALIZING


def _preparing(world: World) -> bool:
    return world.now().canary is not None


# Abort.


@pytest.mark.parametrize("moment", [_preparing, *AT_EACH_WEIGHT, stable_runs(V2)])
def test_abort_returns_traffic_and_the_old_image(moment: Moment) -> None:
    """Until traffic is back on stable for good, an abort undoes everything."""
    world = World(spec(suites=1))
    world.on(moment, _abort)
    world.settle()
    assert (world.status().phase, world.status().state.outcome) == (Phase.FAILED, Outcome.ABORTED)
    assert _stable_image(world) == V1
    assert not list(endings.faults(world))


def test_abort_is_too_late_once_the_new_image_is_the_safe_side() -> None:
    """After promotion's weight 0 is announced an abort changes nothing."""
    world = World()
    world.on(_finalizing, _abort)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert _stable_image(world) == V2


def test_an_abort_token_seen_before_the_start_aborts_nothing() -> None:
    """A token that was there at the start is recorded as seen."""
    world = World()
    _abort(world)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_in_promotion_traffic_waits_for_stable() -> None:
    """Stable gets its old image back first; the proven canary carries the traffic meanwhile."""
    world = World()
    world.on(stable_runs(V2), _abort)
    world.run_to(lambda status: status.state.stage is Stage.ROLLING_BACK)
    assert world.route_reads() == 100
    world.settle(until=lambda: world.route_reads() == 0)
    stable = world.now().stable
    assert stable is not None
    assert (stable.image, stable.rolled_out) == (V1, True)


def test_in_promotion_the_wait_for_stable_has_a_bound() -> None:
    """At the progress deadline weight 0 goes out if stable has any endpoint."""
    world = World()
    world.on(stable_runs(V2), _abort)
    world.run_to(lambda status: status.state.stage is Stage.ROLLING_BACK)
    world.cluster.stable_stuck = True
    since = world.seconds
    world.settle(until=lambda: world.route_reads() == 0)
    assert world.seconds - since in (0, 600)


# Approve.


def test_approval_is_waited_for() -> None:
    """A step with approval waits, after its tests, for exactly its revision and weight."""
    world = World(spec(weights=(50, 100), approval=(50,), suites=1))
    world.settle()
    assert world.status().phase is Phase.AWAITING_APPROVAL
    for wrong in ("template-a-1/100", "template-a-2/50", "yes"):
        world.cluster.edit_resource(approve=wrong)
        world.settle()
        assert world.status().phase is Phase.AWAITING_APPROVAL
    world.cluster.edit_resource(approve="template-a-1/50")
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_an_approval_counts_once() -> None:
    """The approval of a rollout does not approve the next one of the same image."""
    world = World(spec(weights=(50, 100), approval=(50,)))
    world.settle()
    world.cluster.edit_resource(approve="template-a-1/50")
    world.on(reads(100), _abort)
    world.settle()
    _retry("again")(world)
    world.settle()
    assert world.status().phase is Phase.AWAITING_APPROVAL
    assert world.status().revision == "template-a-2"


# Retry.


def test_a_retry_token_starts_the_failed_image_again() -> None:
    """Each new token starts one rollout more, under a revision of its own."""
    world = World(spec(suites=1))
    world.verdict = failing_at(25)
    world.settle()
    for ordinal, token in ((2, "one"), (3, "two")):
        _retry(token)(world)
        world.settle()
        assert world.status().phase is Phase.FAILED
        assert world.status().state.ordinal == ordinal
    world.verdict = failing_at(0)
    _retry("three")(world)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_a_retry_token_during_a_rollout_is_consumed() -> None:
    """A token given while a rollout runs does not start another after it."""
    world = World(spec(suites=1))
    world.verdict = failing_at(25)
    world.on(reads(10), _retry("early"))
    world.settle()
    assert (world.status().phase, world.status().state.ordinal) == (Phase.FAILED, 1)


# Another image.


@pytest.mark.parametrize("moment", [_preparing, *AT_EACH_WEIGHT, stable_runs(V2), _finalizing])
def test_a_new_image_starts_over(moment: Moment) -> None:
    """A new image takes the traffic back first, and is then rolled out from the first step."""
    world = World(spec(suites=1))
    world.on(moment, _image(V3, suites=1))
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert (_stable_image(world), world.status().state.ordinal) == (V3, 2)
    raised = [s.effect.weight for s in world.steps if isinstance(s.effect, RaiseWeight)]
    assert raised[-6:] == list(SIX)


@pytest.mark.parametrize("moment", [_preparing, *AT_EACH_WEIGHT, stable_runs(V2)])
def test_the_old_image_set_back_ends_idle(moment: Moment) -> None:
    """The recorded stable image asked for again is a wanted result: Idle, Ready."""
    world = World(spec(suites=1))
    world.on(moment, _image(V1, suites=1))
    world.settle()
    ready = {condition.type: condition.status for condition in world.status().conditions}
    assert (world.status().phase, ready["Ready"]) == (Phase.IDLE, "True")
    assert _stable_image(world) == V1
    assert not list(endings.faults(world))


def test_there_and_back_again_is_three_rollouts() -> None:
    """v2 → v1 → v2: each is rolled out, under revisions that never meet."""
    world = World()
    revisions = []
    for image in (V2, V1, V2):
        _image(image)(world)
        world.settle()
        assert (world.status().phase, _stable_image(world)) == (Phase.SUCCEEDED, image)
        revisions.append(world.status().revision)
    assert len(set(revisions)) == 3


def test_edited_steps_go_on_above_the_recorded_weight() -> None:
    """The next step is the first weight of the new ladder above the recorded one."""
    world = World(spec(weights=(5, 25, 100)))
    world.on(reads(25), _image(V2, weights=(1, 10, 20, 60, 100)))
    world.settle()
    raised = [s.effect.weight for s in world.steps if isinstance(s.effect, RaiseWeight)]
    assert raised == [5, 25, 60, 100]


# Suspend.


@pytest.mark.parametrize("weight", SIX[:-1])
def test_suspension_holds_the_next_raise(weight: int) -> None:
    """Suspended, the weight stays; resumed, it goes on."""
    world = World(spec(suites=1))
    world.on(reads(weight), _suspend(suspend=True, suites=1))
    world.settle()
    assert (world.status().phase, world.route_reads()) == (Phase.SUSPENDED, weight)
    _suspend(suspend=False, suites=1)(world)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


def test_suspension_holds_the_write_to_stable() -> None:
    """Suspended at 100 %, stable is not touched."""
    world = World()
    world.on(reads(100), _suspend(suspend=True))
    world.settle()
    assert (world.status().phase, _stable_image(world)) == (Phase.SUSPENDED, V1)
    assert not any(isinstance(step.effect, SetStableImage) for step in world.steps)


def test_suspension_never_holds_a_revert() -> None:
    """Suspended, a failing test still takes the traffic off."""
    world = World(spec(suites=1))
    world.on(reads(25), _suspend(suspend=True, suites=1))
    world.verdict = failing_at(25)
    world.settle()
    assert (world.status().phase, world.route_reads()) == (Phase.FAILED, 0)


def test_no_deadline_runs_while_suspended() -> None:
    """A canary that is not ready gets the rest of its time after the resume."""
    world = World()
    world.cluster.canary_stuck = True
    world.settle(until=lambda: world.now().canary is not None)
    world.pass_time(400)
    _suspend(suspend=True)(world)
    world.settle()
    world.pass_time(10_000)
    world.operator.nudge()
    world.settle()
    assert world.status().phase is Phase.SUSPENDED
    _suspend(suspend=False)(world)
    since = world.seconds
    world.settle(until=lambda: world.status().failure is not None)
    assert world.seconds - since == 200


def test_suspended_before_the_start_starts_nothing() -> None:
    """A suspended GatewayCanary makes no canary."""
    world = World(spec(suspend=True))
    world.settle()
    assert world.status().phase is Phase.SUSPENDED
    assert world.now().canary is None


# Deletion.


@pytest.mark.parametrize("moment", [_preparing, *AT_EACH_WEIGHT, stable_runs(V2), _finalizing])
def test_deletion_at_any_moment_leaves_nothing(moment: Moment) -> None:
    """Traffic is back on the safe side, nothing of ours is left, stable has its image."""
    world = World(spec(suites=1))
    world.on(moment, _delete)
    world.settle()
    assert world.now().resource is None
    assert not list(endings.faults(world))
    assert _stable_image(world) == (V2 if moment is _finalizing else V1)


def test_deletion_at_rest_is_at_once() -> None:
    """At rest no finalizer holds the object."""
    world = World()
    world.settle()
    _delete(world)
    assert world.now().resource is None


@pytest.mark.parametrize("moment", [reads(25), _finalizing], ids=["ramping", "finalizing"])
def test_deletion_does_not_wait_for_ever_for_the_route(moment: Moment) -> None:
    """When the route cannot be written within a bound, the object goes and an event says so."""
    world = World()
    world.settle(until=lambda: moment(world))
    world.route_writable = False
    _delete(world)
    for _ in range(200):
        world.operator.view.catch_up()
        world.operator.finish()
        world.cluster.progress(world.clock())
        world.pass_time(1)
    assert world.now().resource is None
    assert "RouteUnwritable" in [event.reason for event in world.operator.events]
    assert world.now().canary is not None


@pytest.mark.parametrize("moment", [_preparing, *AT_EACH_WEIGHT, stable_runs(V2), _finalizing])
def test_deletion_of_everything_leaves_nothing(moment: Moment) -> None:
    """Target, Ingress and GatewayCanary deleted together: missing objects count as done."""

    def uninstall(told: World) -> None:
        told.cluster.change(ingress=False)
        told.cluster.set_stable(None)
        _delete(told)

    world = World(spec(suites=1))
    world.on(moment, uninstall)
    world.settle()
    assert world.now().resource is None
    assert not world.ledger.let_go
    assert not list(endings.faults(world))


@pytest.mark.parametrize("moment", AT_EACH_WEIGHT)
def test_deletion_with_the_target_gone_leaves_the_canary_serving(moment: Moment) -> None:
    """With nothing to return traffic to, the object goes, the canary stays, an event says so."""

    def delete_both(told: World) -> None:
        told.cluster.set_stable(None)
        _delete(told)

    world = World(spec(suites=1))
    world.on(moment, delete_both)
    world.settle()
    now = world.now()
    assert now.resource is None
    assert now.route.carries
    assert now.canary is not None
    assert "TargetNotFound" in [event.reason for event in world.operator.events]


# Contradictions.

_GAP = Problem(reason="PolicyGap", object="NetworkPolicy a", message="does not cover the canary")


def test_a_contradiction_with_another_object_gets_a_grace() -> None:
    """For 60 s it is waited for, then it is Invalid; when it goes, the rollout starts."""
    world = World()
    world.contradict(_GAP)
    world.settle(until=lambda: in_phase(Phase.INVALID)(world))
    assert world.seconds == 60
    world.contradict()
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED


@pytest.mark.parametrize("moment", AT_EACH_WEIGHT)
def test_a_lasting_contradiction_in_a_rollout_reverts(moment: Moment) -> None:
    """With weight above 0 traffic goes back first; mended, the rollout starts over."""
    world = World(spec(suites=1))
    world.on(moment, lambda w: w.contradict(_GAP))
    world.settle()
    assert (world.status().phase, world.route_reads()) == (Phase.INVALID, 0)
    assert _stable_image(world) == V1
    world.contradict()
    world.settle()
    assert (world.status().phase, _stable_image(world)) == (Phase.SUCCEEDED, V2)


def test_a_spec_that_cannot_be_read_reverts_at_once() -> None:
    """A revert does not wait for a valid spec."""
    world = World(spec(suites=1))
    world.on(reads(50), lambda w: w.cluster.edit_resource(spec=None, spec_changed=True))
    world.settle()
    assert (world.status().phase, world.route_reads()) == (Phase.INVALID, 0)
