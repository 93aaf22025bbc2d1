"""What the demo has shown, for people at its end and for programs in build/demo.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.course import Step
from demo.shares import suspicious
from proving.propagation import OUTSIDE, Propagation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How the rollout of one image went."""

    image: str
    phase: str
    steps: Sequence[Step]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole demo. ``reaction`` is in seconds, None where nothing was reverted.

    ``returned``: the propagation of the revert. ``breaches``: what the stored history breaks.
    """

    provider: str
    good: Rollout
    bad: Rollout
    reaction: float | None
    returned: Propagation | None
    requests: int
    lost: int
    route_left: bool
    breaches: Sequence[str] = ()

    @property
    def promoted(self) -> bool:
        """Tell whether the good image was promoted."""
        return self.good.phase == "Succeeded"

    @property
    def rolled_back(self) -> bool:
        """Tell whether the bad image failed and its traffic came back."""
        return self.bad.phase == "Failed" and not self.route_left

    def faults(self) -> list[str]:
        """Say everything that did not go as it must; nothing when the demo succeeded."""
        found = []
        if not self.promoted:
            found.append(f"{self.good.image} was not promoted: {self.good.message}")
        if not self.rolled_back:
            found.append(f"{self.bad.image} was not rolled back: {self.bad.message}")
        if self.lost:
            found.append(f"{self.lost} requests were lost")
        found.extend(self.breaches)
        for share in suspicious([step.share for step in self._steps()]):
            found.append(
                f"{share.canary} of {share.requests} requests is not {share.weight} % "
                f"(p = {share.p_value if share.requests else 'unknown'})"
            )
        return found

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), indent=2) + "\n")

    def as_json(self) -> dict[str, Any]:
        """Give the report in the form of build/demo.json."""
        return {
            "provider": self.provider,
            "steps": [
                _step(step, rollout.image)
                for rollout in (self.good, self.bad)
                for step in rollout.steps
            ],
            "reaction_ms": None if self.reaction is None else round(self.reaction * 1000, 1),
            "revert_propagation_ms": _spread(self.returned),
            "propagation_bounds_hold_with": 1 - OUTSIDE,
            "requests": self.requests,
            "lost_requests": self.lost,
            "promoted": self.promoted,
            "rolled_back": self.rolled_back,
            "breaches": list(self.breaches),
        }

    def _steps(self) -> list[Step]:
        return [*self.good.steps, *self.bad.steps]


def spoken(found: Propagation | None) -> str:
    """Say a propagation: the median and, in brackets, its bounds."""
    if found is None:
        return "not measured"
    median, least, most = (
        f"{1000 * seconds:.0f}" for seconds in (found.median, found.least, found.most)
    )
    return f"{median} ms ({least}–{most})"


def _spread(found: Propagation | None) -> dict[str, float] | None:
    if found is None:
        return None
    spread = {"median": found.median, "least": found.least, "most": found.most}
    return {name: round(seconds * 1000, 1) for name, seconds in spread.items()}


def _step(step: Step, image: str) -> dict[str, Any]:
    return {
        "image": image,
        "weight": step.weight,
        "share": round(step.share.percent, 2),
        "requests": step.share.requests,
        "p_value": step.share.p_value,
        "propagation_ms": _spread(step.propagation),
        "tests": {"passed": step.passed, "failed": len(step.failed)},
    }
