"""Courses that a rollout can take, each as a world to be run to its end.

They are run undisturbed, and again with a crash, or with a second leader, at every single point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gatewaycanary.api.status import Phase
from gatewaycanary.core.observation import PodFault, Problem
from model.observing import EVICTED, PASSED
from model.pictures import RunKey, Scaler
from model.specs import V1, V3, spec
from model.worlds import World, failing_at, hanging_at

LADDER: Final = (25, 100)
Story = Callable[[], World]


def reads(weight: int) -> Callable[[World], bool]:
    """Hold when the route carries this weight."""
    return lambda world: world.route_reads() == weight


def in_phase(phase: Phase) -> Callable[[World], bool]:
    """Hold in this phase."""
    return lambda world: world.now().resource is not None and world.status().phase is phase


def stable_runs(image: str) -> Callable[[World], bool]:
    """Hold when stable has been given this image."""

    def holds(world: World) -> bool:
        stable = world.now().stable
        return stable is not None and stable.image == image

    return holds


def world(**options: object) -> World:
    """Build a short rollout with one suite of tests."""
    return World(spec(**{"weights": LADDER, "suites": 1} | options), scaler=Scaler(policy="Max"))  # type: ignore[arg-type]


def promoted() -> World:
    """All goes well."""
    return world()


def handed_over() -> World:
    """Somebody else gives stable the image."""
    told = world(mode="Handover")
    told.on(
        in_phase(Phase.AWAITING_HANDOVER),
        lambda w: w.cluster.edit_stable(image="registry.example/gateway:2.0.0"),
    )
    return told


def test_fails() -> World:
    """The tests fail at the first weight."""
    told = world()
    told.verdict = failing_at(25)
    return told


def test_fails_at_the_top() -> World:
    """The tests fail at 100 %."""
    told = world()
    told.verdict = failing_at(100)
    return told


def test_hangs() -> World:
    """A test never ends."""
    told = world()
    told.verdict = hanging_at(100)
    return told


def test_evicted() -> World:
    """A test pod is evicted once: no verdict, run again."""
    told = world()
    told.verdict = _evicted_once
    return told


def _evicted_once(key: RunKey) -> str | None:
    return EVICTED if key.run == 1 and key.weight == 25 else PASSED


def aborted() -> World:
    """A person aborts at the first weight."""
    told = world()
    told.on(reads(25), lambda w: w.cluster.edit_resource(abort="a"))
    return told


def aborted_in_promotion() -> World:
    """A person aborts once stable has been given the image."""
    told = world()
    told.on(
        stable_runs("registry.example/gateway:2.0.0"), lambda w: w.cluster.edit_resource(abort="a")
    )
    return told


def superseded() -> World:
    """A new image is asked for at the first weight."""
    told = world()
    told.on(
        reads(25),
        lambda w: w.cluster.edit_resource(
            spec=spec(V3, weights=LADDER, suites=1), spec_changed=True
        ),
    )
    return told


def set_back() -> World:
    """The old image is asked for again at 100 %."""
    told = world()
    told.on(
        reads(100),
        lambda w: w.cluster.edit_resource(
            spec=spec(V1, weights=LADDER, suites=1), spec_changed=True
        ),
    )
    return told


def stable_changed() -> World:
    """Somebody changes stable's template at the first weight: start over."""
    told = world()
    told.on(reads(25), lambda w: w.cluster.edit_stable(template="template-b"))
    return told


def invalid_for_a_while() -> World:
    """A contradiction comes at the first weight, and goes once the canary is Invalid."""
    problem = Problem(reason="PolicyGap", object="NetworkPolicy a", message="no", immediate=True)
    told = world()
    told.on(reads(25), lambda w: w.contradict(problem))
    told.on(in_phase(Phase.INVALID), lambda w: w.contradict())
    return told


def deleted() -> World:
    """The GatewayCanary is deleted at the first weight."""
    told = world()
    told.on(reads(25), lambda w: w.cluster.edit_resource(deleting=True))
    return told


def deleted_in_promotion() -> World:
    """The GatewayCanary is deleted once stable has been given the image."""
    told = world()
    told.on(
        stable_runs("registry.example/gateway:2.0.0"),
        lambda w: w.cluster.edit_resource(deleting=True),
    )
    return told


def withdrawn() -> World:
    """A person takes the traffic off."""
    told = world()
    told.on(reads(25), _brake)
    return told


def _brake(told: World) -> None:
    route = told.now().route
    told.cluster.change(route=replace(route, weight=0, text="0", version=route.version + 1))


def canary_lost() -> World:
    """All the canary's pods go while they serve."""
    told = world()
    told.on(reads(100), _lose_canary)
    return told


def _lose_canary(told: World) -> None:
    told.cluster.canary_stuck = True
    canary = told.now().canary
    if canary is not None:
        told.cluster.set_canary(replace(canary, ready=0, unready=canary.ready))


def crash_looping() -> World:
    """The canary never starts."""
    told = world()
    told.cluster.canary_stuck = True
    told.on(
        lambda w: w.now().canary is not None,
        lambda w: w.cluster.fault_canary(PodFault(reason="CrashLoopBackOff", message="3")),
    )
    return told


STORIES: Final[tuple[Story, ...]] = (
    promoted,
    handed_over,
    test_fails,
    test_fails_at_the_top,
    test_hangs,
    test_evicted,
    aborted,
    aborted_in_promotion,
    superseded,
    set_back,
    stable_changed,
    invalid_for_a_while,
    deleted,
    deleted_in_promotion,
    withdrawn,
    canary_lost,
    crash_looping,
)
