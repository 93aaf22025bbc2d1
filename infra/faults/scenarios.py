"""What a seed means: one rollout, how it is to end, and the plan of what goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from faults.kinds import EVERY, STREAM, Fault
from faults.plans import Plan

REPOSITORY: Final = "localhost/podinfo"
STABLE, WANTED, OTHER = (f"{REPOSITORY}:{tag}" for tag in ("1.0.0", "2.0.0", "3.0.0"))
PROVIDERS: Final = ("nginx", "istio")
STEPS: Final = ((50, 100), (10, 50, 100))

MIXES: Final[Mapping[str, frozenset[Fault]]] = {
    "all": EVERY,
    "refusals": frozenset(
        {
            Fault.CONFLICT,
            Fault.PATCH_REFUSED,
            Fault.THROTTLED,
            Fault.BROKEN,
            Fault.UNAVAILABLE,
        }
    ),
    "lost answers": frozenset(
        {
            Fault.TIMED_OUT,
            Fault.SILENT_AFTER,
            Fault.RESET_AFTER,
            Fault.HALF_ANSWERED,
            Fault.RESET_BEFORE,
        }
    ),
    "watches": frozenset({*STREAM, Fault.EXPIRED, Fault.SILENT_BEFORE, Fault.RESET_BEFORE}),
    "stale": frozenset({Fault.STALE, Fault.GONE, Fault.EXPIRED, Fault.DELAYED, Fault.SLOW}),
}


class Story(Enum):
    """What happens to the rollout by itself, without any fault."""

    GOOD = "good"
    BAD = "bad"
    ABORTED = "aborted"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A rollout: ``at`` is the weight at which a test fails, or a person steps in."""

    provider: str
    story: Story
    steps: tuple[int, ...]
    at: int = 0

    def __str__(self) -> str:
        where = f" at {self.at}" if self.at else ""
        return f"{self.provider} {'/'.join(map(str, self.steps))} {self.story.value}{where}"

    @property
    def phase(self) -> str:
        """Name the phase that it must end in."""
        return "Succeeded" if self.story in {Story.GOOD, Story.REPLACED} else "Failed"

    @property
    def image(self) -> str:
        """Name the image that stable must have at the end."""
        return {Story.GOOD: WANTED, Story.REPLACED: OTHER}.get(self.story, STABLE)

    def verdict(self, image: str, weight: int) -> bool | None:
        """Say how a test of an image ends at a weight: well, badly, or not at all (None)."""
        if image != WANTED or weight != self.at:
            return True
        return False if self.story is Story.BAD else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One seed's rollout with all that goes wrong; ``mix`` names its kinds of faults."""

    seed: int
    shape: Shape
    mix: str
    plan: Plan


def scenario(seed: int, provider: str) -> Scenario:
    """Give the scenario of a seed."""
    dice = Random(f"scenario {seed} {provider}")
    story = dice.choices(list(Story), weights=(45, 35, 10, 10))[0]
    steps = dice.choice(STEPS)
    # NB: a person steps in before the last step, or promotion could come first.
    places = {Story.GOOD: (0,), Story.BAD: steps}.get(story, steps[:-1])
    shape = Shape(provider=provider, story=story, steps=steps, at=dice.choice(places))
    mix = dice.choice(("all", *MIXES))
    plan = Plan(
        seed=seed,
        rate=dice.choice((0.1, 0.2, 0.3)),
        lease_rate=dice.choice((0.0, 0.02, 0.05)),
        event_rate=dice.choice((0.02, 0.05, 0.1)),
        kinds=MIXES[mix],
    )
    return Scenario(seed=seed, shape=shape, mix=mix, plan=plan)
