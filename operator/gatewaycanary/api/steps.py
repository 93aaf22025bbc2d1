"""The ramp: which weights, and what must pass at each before the next."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field

from gatewaycanary.api.durations import Duration
from gatewaycanary.api.rules import UNSHOWN, Rule, Ruled, SpecModel


class Step(SpecModel):
    """One weight of the ramp, with what must pass before the next."""

    weight: int = Field(ge=1, le=100)
    """The percentage of traffic that the canary gets."""

    hold: Duration | None = None
    """Stay at this weight at least so long."""

    approval: bool = Field(default=False, json_schema_extra=UNSHOWN)
    """Wait for a person: the annotation canary.soma.dev/approve."""


DEFAULT_STEPS = tuple(Step(weight=weight) for weight in (5, 10, 25, 50, 75, 100))


def _ends_at_all(steps: tuple[Step, ...]) -> bool:
    return not steps or steps[-1].weight == 100


def _rises(steps: tuple[Step, ...]) -> bool:
    return all(one.weight < other.weight for one, other in pairwise(steps))


_STEP_RULES = (
    Rule(
        cel="size(self) > 0",
        holds=lambda steps: len(steps) > 0,
        message="must not be empty; leave it out for 5, 10, 25, 50, 75 and 100 %",
    ),
    Rule(
        cel="self.map(step, step.weight).isSorted() && "
        "self.all(step, self.exists_one(other, other.weight == step.weight))",
        holds=_rises,
        message="weights must rise from step to step, each higher than the one before",
    ),
    Rule(
        cel="size(self) == 0 || self[size(self) - 1].weight == 100",
        holds=_ends_at_all,
        message="the last step must have weight 100; promotion follows it",
    ),
)

Steps = Annotated[tuple[Step, ...], Field(max_length=100, strict=False), Ruled(_STEP_RULES)]
