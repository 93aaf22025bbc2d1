"""A route that a person holds is applied again by their tool in mid-rollout."""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.status import Phase
from model import endings
from model.specs import spec
from model.stories import in_phase, reads
from model.worlds import World


def apply_again(world: World) -> None:
    """Write the route as its owner has it: without our destination, marks left alone."""
    route = world.now().route
    gone = replace(route, attached=False, weight=None, text="", version=route.version + 1)
    world.cluster.change(route=gone)


def test_an_apply_in_mid_ramp_is_put_back() -> None:
    """It is drift, and the rollout ends well."""
    world = World(spec(), held=True)
    world.on(reads(25), apply_again)
    world.settle()
    assert world.status().phase is Phase.SUCCEEDED
    assert not list(endings.faults(world))


def test_an_apply_while_the_canary_is_gone_does_not_wait_for_ever() -> None:
    """Awaiting handover, with nothing to put back to: the progress deadline ends it."""
    world = World(spec(mode="Handover"), held=True)
    world.settle(until=lambda: in_phase(Phase.AWAITING_HANDOVER)(world))
    apply_again(world)
    world.cluster.set_canary(None)
    world.settle()
    failure = world.status().failure
    assert failure is not None
    assert failure.reason == "ProgressDeadlineExceeded"
    assert not list(endings.faults(world))
