"""Durations that a rollout goes by, known even while its spec does not parse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gatewaycanary.api.spec import GatewayCanarySpec

PROBLEM_GRACE = timedelta(seconds=60)
UNWRITABLE_ROUTE_BOUND = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The durations of a spec."""

    settle: timedelta = timedelta(seconds=5)
    progress: timedelta = timedelta(minutes=10)
    scale_down: timedelta = timedelta(seconds=30)

    @property
    def pods_stay(self) -> timedelta:
        """How long the canary's pods outlive the last moment of their traffic."""
        return max(self.scale_down, self.settle)


def limits(spec: GatewayCanarySpec | None) -> Limits:
    """Read the durations of a spec, or the documented defaults without one."""
    if spec is None:
        return Limits()
    return Limits(
        settle=spec.traffic.settle,
        progress=spec.progress_deadline,
        scale_down=spec.canary.scale_down_delay,
    )
