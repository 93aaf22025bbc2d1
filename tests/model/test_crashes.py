"""6. Any crash, or a second leader, at any point leaves the same end state.

The fast profile tries every fifth point of each story, the thorough one every point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from model import endings
from model.profiles import points
from model.stories import STORIES, Story
from model.worlds import World

END = tuple[object, ...]


def _end(world: World) -> END:
    """Give what a person sees and what the cluster holds in the end."""
    now = world.now()
    resource, stable = now.resource, now.stable
    held = (now.route.attached, now.route.mark, now.canary, now.service, now.scaler, now.runs)
    runs = stable and (stable.image, stable.template, stable.rolled_out)
    if resource is None:
        return (None, runs, held)
    status = world.status()
    state = status.state
    shown = (status.phase, state.stage, state.outcome, state.image, status.stable_image)
    return (shown, runs, held, resource.finalizer)


def _undisturbed(story: Story) -> tuple[END, int]:
    world = story()
    world.settle()
    assert not list(endings.faults(world))
    return _end(world), world.pauses


def _points(story: Story, pauses: int) -> range:
    return points(pauses, first=1 + STORIES.index(story) % 5)


def _crashed(story: Story, pauses: int) -> Iterator[tuple[int, World]]:
    for at in _points(story, pauses):
        world = story()
        world.crash_at = at
        world.settle()
        yield at, world


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_at_any_point_changes_nothing(story: Story) -> None:
    """Whichever effect a crash comes before or after, the rollout ends as without it."""
    wanted, pauses = _undisturbed(story)
    for at, world in _crashed(story, pauses):
        last = world.steps[-1].effect if world.steps else None
        assert _end(world) == wanted, f"crashed at pause {at}; last effect {last}"
        assert not list(endings.faults(world)), f"crashed at pause {at}"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_deposed_leader_changes_nothing(story: Story) -> None:
    """A deposed leader's last request that arrives late changes nothing about the end."""
    wanted, pauses = _undisturbed(story)
    for at in _points(story, pauses):
        world = story()
        world.depose_at = at
        world.on(_some_way_on(world), _arrives)
        world.settle()
        assert _end(world) == wanted, f"deposed at pause {at}"


def _some_way_on(world: World) -> Callable[[World], bool]:
    def holds(told: World) -> bool:
        return told.late is not None and told.pauses > (told.depose_at or 0) + 3

    return holds


def _arrives(world: World) -> None:
    if world.late is not None and world.late.under_way is not None:
        world.late.pause()
