"""What users write: the spec of a GatewayCanary.

The models are the one source of the contract: the CRD's schema is generated from them
(``api.crd``), and ``parse`` reads specs with the same rules. A value that is not given is its
documented default; nothing is clamped, and nothing unknown is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, ValidationError

from gatewaycanary.api.durations import Deadline
from gatewaycanary.api.images import ImageReference, ImageTag, retag
from gatewaycanary.api.names import LabelName
from gatewaycanary.api.options import (
    CANARY_SUFFIX,
    CanaryOptions,
    Promotion,
    Services,
    TargetRef,
)
from gatewaycanary.api.problems import SpecInvalid, problems_of
from gatewaycanary.api.rules import UNSHOWN, Rule, SpecModel
from gatewaycanary.api.steps import DEFAULT_STEPS, Step, Steps
from gatewaycanary.api.suites import TestSuite
from gatewaycanary.api.traffic import Traffic


def _services_differ(spec: GatewayCanarySpec) -> bool:
    return spec.resolved_stable_service != spec.resolved_canary_service


def _services_are_named(spec: GatewayCanarySpec) -> bool:
    named = spec.service.stable is not None and spec.service.canary is not None
    return named or "." not in spec.target_ref.name


_STABLE = (
    "has(self.service) && has(self.service.stable) ? self.service.stable : self.targetRef.name"
)
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
        # Python's own names for the fields are for Python; a manifest's are the aliases.
        return GatewayCanarySpec.model_validate(spec, by_alias=True, by_name=False)
    except ValidationError as error:
        raise SpecInvalid(problems_of(error)) from error
