"""What a decision says: the effects, the status that announces them, one sentence why.

The order is part of the contract: ``urgent`` effects go out first (only a revert's route write),
then the status by compare-and-set, then ``events`` and ``actions``. An action is idempotent and
bound to (revision, step, attempt), so that any repeat leaves the same end state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gatewaycanary.api.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFinalizer:
    """Hold the object until traffic is safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFinalizer:
    """Let the object go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCanary:
    """Create the canary Deployment from stable's template."""

    revision: str
    image: str
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCanaryService:
    """Create the canary Service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleCanary:
    """Give the canary Deployment its replicas."""

    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCanary:
    """Delete the canary Deployment and Service, where they are ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseWeight:
    """Put the announced weight into the route, guarded by the route's resourceVersion."""

    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawWeight:
    """Put weight 0 into the route at once, with the mark of the revision where one failed."""

    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRoute:
    """Leave the route as it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisownRoute:
    """Take our entry out of a person's route's managedFields, where a crash has left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStableImage:
    """Give stable's container this image."""

    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAutoscaler:
    """Keep the target's HPA from scaling down."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAutoscaler:
    """Give the HPA its own policy back."""

    name: str
    original: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTests:
    """Read the releases' stored hooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceTests:
    """Perform the next effect of the named test run."""

    weight: int
    suite: int
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTestLog:
    """Read the failed test's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTests:
    """Delete the test objects of this canary that the hooks' policies leave to us."""


Action = (
    AddFinalizer
    | RemoveFinalizer
    | CreateCanary
    | CreateCanaryService
    | ScaleCanary
    | DeleteCanary
    | RaiseWeight
    | WithdrawWeight
    | RestoreRoute
    | DisownRoute
    | SetStableImage
    | HoldAutoscaler
    | ReleaseAutoscaler
    | LoadTests
    | AdvanceTests
    | ReadTestLog
    | DeleteTests
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A Kubernetes event. ``warning`` gives type Warning, else Normal."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one observation. ``status`` is the whole status to be stored."""

    status: Status
    urgent: tuple[Action, ...] = ()
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_after: timedelta | None = None
    summary: str = ""
