"""Specs and images that the model rolls out, read as users' specs are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gatewaycanary.api.spec import GatewayCanarySpec, parse

REPOSITORY: Final = "registry.example/gateway"
V1: Final = f"{REPOSITORY}:1.0.0"
V2: Final = f"{REPOSITORY}:2.0.0"
V3: Final = f"{REPOSITORY}:3.0.0"
SIX: Final = (5, 10, 25, 50, 75, 100)


def spec(
    image: str = V2,
    *,
    weights: Sequence[int] = SIX,
    suites: int = 0,
    attempts: int = 1,
    settle: str = "0s",
    mode: str = "Automatic",
    replicas: int | str = "Proportional",
    suspend: bool = False,
    hold: dict[int, str] | None = None,
    approval: Sequence[int] = (),
) -> GatewayCanarySpec:
    """Build the spec of a rollout to this image."""
    return parse(
        {
            "targetRef": {"name": "gateway"},
            "image": image,
            "traffic": {"nginx": {"ingress": "gateway"}, "settle": settle},
            "steps": [_step(weight, hold or {}, approval) for weight in weights],
            "canary": {"replicas": replicas, "scaleDownDelay": "30s"},
            "tests": [
                {"helm": {"release": f"release-{suite}"}, "timeout": "5m", "attempts": attempts}
                for suite in range(suites)
            ],
            "progressDeadline": "10m",
            "promotion": {"mode": mode},
            "suspend": suspend,
        }
    )


def _step(weight: int, hold: dict[int, str], approval: Sequence[int]) -> dict[str, Any]:
    step: dict[str, Any] = {"weight": weight}
    if weight in hold:
        step["hold"] = hold[weight]
    if weight in approval:
        step["approval"] = True
    return step
