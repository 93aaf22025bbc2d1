"""Which tests gate a step: the Helm test hooks of a release, aimed at one side."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from gatewaycanary.api.durations import Deadline
from gatewaycanary.api.names import ObjectName, ReleaseName
from gatewaycanary.api.rules import UNSHOWN, Rule, SpecModel

TestTarget = Literal["canary", "stable", "gateway"]
HookNames = Annotated[tuple[ObjectName, ...], Field(max_length=32, strict=False)]


class HelmRelease(SpecModel):
    """The release whose test hooks run, filtered by their names."""

    rules = (
        Rule(
            cel="!has(self.include) || !has(self.exclude) || "
            "!self.include.exists(name, name in self.exclude)",
            holds=lambda helm: not set(helm.include) & set(helm.exclude),
            message="a test cannot be both included and excluded",
        ),
    )

    release: ReleaseName
    """The name of the Helm release, in this namespace."""

    include: HookNames = Field(default=(), json_schema_extra=UNSHOWN)
    """Run only the test hooks of these names; all when empty."""

    exclude: HookNames = Field(default=(), json_schema_extra=UNSHOWN)
    """Leave out the test hooks of these names."""


class TestSuite(SpecModel):
    """One release's tests, run at every step once the traffic has shifted."""

    __test__ = False

    helm: HelmRelease
    """The release's `helm.sh/hook: test` objects."""

    target: TestTarget = "canary"
    """Where the tests are aimed: at the canary, at stable, or as written through the gateway."""

    timeout: Deadline = timedelta(minutes=5)
    """The time for one attempt at all of the release's tests."""

    attempts: int = Field(default=1, ge=1, le=10)
    """How often the tests may run at a step before it counts as failed."""
