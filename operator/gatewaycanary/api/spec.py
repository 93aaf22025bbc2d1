"""What users write: the spec of a GatewayCanary.

The models are the one source of the contract: the CRD's schema is generated from them
(``api.crd``), and ``parse`` reads specs with the same rules. A value that is not given is its
documented default; nothing is clamped, and nothing unknown is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from gatewaycanary.api.durations import Deadline, Duration
from gatewaycanary.api.images import ImageReference, ImageTag, retag
from gatewaycanary.api.names import LabelKey, LabelName, ObjectName
from gatewaycanary.api.problems import SpecInvalid, problems_of, without_nulls
from gatewaycanary.api.rules import UNSHOWN, Rule, Ruled, SpecModel, Transition
from gatewaycanary.api.suites import TestSuite
from gatewaycanary.api.traffic import Traffic

CANARY_SUFFIX = "-canary"


class TargetRef(SpecModel):
    """The stable workload, untouched until promotion."""

    rules = (
        Transition(
            cel="self == oldSelf",
            message="targetRef cannot change; delete this GatewayCanary (traffic returns to "
            "stable) and create one for the other workload",
        ),
        Rule(
            cel=f"size(self.name) <= {63 - len(CANARY_SUFFIX)}",
            holds=lambda target: len(target.name) <= 63 - len(CANARY_SUFFIX),
            message=f"name may have at most {63 - len(CANARY_SUFFIX)} characters: "
            f"the canary's objects are called <name>{CANARY_SUFFIX}",
        ),
    )

    api_version: Literal["apps/v1"] = "apps/v1"
    """The API version of the workload."""

    kind: Literal["Deployment"] = "Deployment"
    """The kind of the workload."""

    name: ObjectName
    """The name of the workload, in this namespace."""


class Services(SpecModel):
    """The Services of both sides."""

    stable: LabelName | None = None
    """The Service that selects the stable pods; by default called as the target."""

    canary: LabelName | None = None
    """The Service to make for the canary's pods; by default <target>-canary."""


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


def _counts_replicas(value: Any) -> bool:
    if isinstance(value, str):
        return value in {"Proportional", "Full"}
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_REPLICAS_RULE = Rule(
    cel="type(self) == int ? self >= 1 : self in ['Proportional', 'Full']",
    holds=_counts_replicas,
    message="must be a number of at least 1, Proportional or Full",
)

Replicas = Annotated[
    int | Literal["Proportional", "Full"],
    Field(json_schema_extra={"x-kubernetes-int-or-string": True}),
    Ruled((_REPLICAS_RULE,), first=True),
]


class CanaryOptions(SpecModel):
    """How the canary's pods are made and taken away."""

    replicas: Replicas = "Proportional"
    """A number; Proportional to the weight; or Full, as many as stable from the first step."""

    scale_down_delay: Duration = timedelta(seconds=30)
    """How long the canary's pods stay once the route reads weight 0."""

    selector_label: LabelKey | None = None
    """The selector label that tells the canary's pods from stable's; found when not given."""

    allow_policy_gap: bool = False
    """Go on where a NetworkPolicy or mesh policy covers stable but would not cover the canary."""


class Promotion(SpecModel):
    """What happens once the canary has proven itself at 100 %."""

    mode: Literal["Automatic", "Handover"] = "Automatic"
    """Automatic writes the image to stable; Handover waits until somebody else has."""


def _services_differ(spec: GatewayCanarySpec) -> bool:
    return spec.resolved_stable_service != spec.resolved_canary_service


def _services_are_named(spec: GatewayCanarySpec) -> bool:
    named = spec.service.stable is not None and spec.service.canary is not None
    return named or "." not in spec.target_ref.name


_STABLE = "has(self.service) && has(self.service.stable) ? self.service.stable : self.targetRef.name"
_CANARY = (
    "has(self.service) && has(self.service.canary) ? self.service.canary "
    f": self.targetRef.name + '{CANARY_SUFFIX}'"
)


class GatewayCanarySpec(SpecModel):
    """What is to be rolled out, where, in which steps, and what has to hold on the way."""

    rules = (
        Rule(
            cel="has(self.image) != has(self.imageTag)",
            holds=lambda spec: (spec.image is None) != (spec.image_tag is None),
            message="set exactly one of image and imageTag",
        ),
        Rule(
            cel="!self.targetRef.name.contains('.') || "
            "(has(self.service) && has(self.service.stable) && has(self.service.canary))",
            holds=_services_are_named,
            message="a Service's name has no '.': set service.stable and service.canary, "
            "which cannot be called as the target",
        ),
        Rule(
            cel=f"({_STABLE}) != ({_CANARY})",
            holds=_services_differ,
            message="service.stable and service.canary must be two different Services; they "
            "default to the target's name and to <target>-canary",
        ),
    )

    target_ref: TargetRef
    """The stable workload."""

    image: ImageReference | None = None
    """The image to roll out. Exactly one of image and imageTag."""

    image_tag: ImageTag | None = None
    """The tag to roll out, on the repository of stable's image."""

    container: LabelName | None = None
    """The container that gets the image; needed when the pod has several."""

    service: Services = Field(default=Services(), json_schema_extra=UNSHOWN)
    """The Services of both sides, when they are not called as the target."""

    traffic: Traffic
    """The route that is moved; exactly one provider."""

    steps: Steps = DEFAULT_STEPS
    """The weights of the ramp, strictly rising and ending at 100."""

    canary: CanaryOptions = CanaryOptions()
    """How the canary's pods are made and taken away."""

    tests: Annotated[tuple[TestSuite, ...], Field(max_length=8, strict=False)] = Field(
        default=(), json_schema_extra=UNSHOWN
    )
    """The Helm tests that must pass at every step, in this order."""

    progress_deadline: Deadline = timedelta(minutes=10)
    """The pods of each step must be ready within this; it restarts with each newly ready pod."""

    promotion: Promotion = Promotion()
    """What happens once the canary has proven itself at 100 %."""

    suspend: bool = False
    """Hold every raise and the write to stable; a way back to stable is never held."""

    @property
    def resolved_stable_service(self) -> str:
        """Name the stable Service: as given, or as the target."""
        return self.service.stable or self.target_ref.name

    @property
    def resolved_canary_service(self) -> str:
        """Name the canary Service: as given, or after the target."""
        return self.service.canary or f"{self.target_ref.name}{CANARY_SUFFIX}"

    @property
    def weights(self) -> tuple[int, ...]:
        """Give the weights of the ramp, rising."""
        return tuple(step.weight for step in self.steps)

    def step(self, weight: int) -> Step:
        """Find the step of that weight; a bare one where the steps do not hold it (any more)."""
        bare = Step.model_construct(weight=weight)
        return next((step for step in self.steps if step.weight == weight), bare)

    def desired_image(self, stable_image: str) -> str:
        """Give the image to roll out; a bare tag goes onto stable's repository."""
        if self.image is not None:
            return self.image
        return retag(stable_image, tag=self.image_tag or "")


def parse(spec: Mapping[str, Any]) -> GatewayCanarySpec:
    """Read a spec as the API server gives it; raise SpecInvalid with every problem found."""
    try:
        return GatewayCanarySpec.model_validate(without_nulls(spec))
    except ValidationError as error:
        raise SpecInvalid(problems_of(error)) from error
