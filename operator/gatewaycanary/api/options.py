"""The two sides of a rollout: the stable workload, and how its canary is made and promoted."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from gatewaycanary.api.durations import Duration
from gatewaycanary.api.names import LabelKey, LabelName, ObjectName
from gatewaycanary.api.rules import Rule, Ruled, SpecModel, Transition

CANARY_SUFFIX = "-canary"
MOST_REPLICAS = 2**31 - 1
"""As many as a Deployment can say."""


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


def _counts_replicas(value: Any) -> bool:
    if isinstance(value, str):
        return value in {"Proportional", "Full"}
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_REPLICAS


_REPLICAS_RULE = Rule(
    cel=f"type(self) == int ? self >= 1 && self <= {MOST_REPLICAS} "
    ": self in ['Proportional', 'Full']",
    holds=_counts_replicas,
    message=f"must be a number from 1 to {MOST_REPLICAS}, Proportional or Full",
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
