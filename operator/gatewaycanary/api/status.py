"""What the operator writes: the status of a GatewayCanary, position included.

``state`` is the position itself, from which any replica of the operator goes on after a crash;
everything else in the status is computed from it for people and tools. The classes are pydantic
dataclasses so that one definition gives the CRD's schema, strict parsing and typed
``dataclasses.replace`` in the core. Fields that this version does not know are ignored on read:
a rolled-back operator must still be able to bring traffic home.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

CONFIG = ConfigDict(
    alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="ignore"
)

LOG_TAIL_LENGTH = 4096
MESSAGE_LENGTH = 32768


class Phase(StrEnum):
    """The one word that people read first; computed from the state."""

    PENDING = "Pending"
    IDLE = "Idle"
    PREPARING = "Preparing"
    SHIFTING = "Shifting"
    TESTING = "Testing"
    HOLDING = "Holding"
    AWAITING_APPROVAL = "AwaitingApproval"
    PROMOTING = "Promoting"
    AWAITING_HANDOVER = "AwaitingHandover"
    FINALIZING = "Finalizing"
    ROLLING_BACK = "RollingBack"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    INVALID = "Invalid"


class Stage(StrEnum):
    """Where a rollout stands; each has its rules in ``core.phases``."""

    RESTING = "Resting"
    PREPARING = "Preparing"
    RAMPING = "Ramping"
    PROMOTING = "Promoting"
    ROLLING_BACK = "RollingBack"
    FINALIZING = "Finalizing"


class Outcome(StrEnum):
    """Why a rollout ends, decided when it turns to its end."""

    PROMOTED = "Promoted"
    FAILED = "Failed"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    SET_BACK = "SetBack"
    DELETED = "Deleted"
    INVALID = "Invalid"


class Verdict(StrEnum):
    """How one Helm test stands."""

    RUNNING = "Running"
    PASSED = "Passed"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class HelmTestResult:
    """How one Helm test of the current step went."""

    name: str
    verdict: Verdict
    attempt: int = 1
    duration_seconds: float = 0.0
    log_tail: str = Field(default="", max_length=LOG_TAIL_LENGTH)


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class StepRecord:
    """One step that the rollout has been through."""

    weight: int
    entered_at: datetime | None = None
    left_at: datetime | None = None
    tests_passed: int = 0
    tests_failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class Failure:
    """What went wrong, in the words shown in event, condition and log."""

    reason: str
    message: str = ""
    step: str = ""
    weight: int = 0
    test: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class Condition:
    """A standard Kubernetes condition."""

    type: str
    status: str
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class FoundRule:
    """What one rule of a person's route said before the first raise; null: it said nothing."""

    name: str = ""
    stable: int | None = None
    canary: int | None = None
    attached: bool = Field(default=False, description="It named the canary's destination.")


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class FieldOwner:
    """An entry of a route's managedFields that held the rules before the first raise."""

    manager: str
    operation: str = ""
    api_version: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class FoundRoute:
    """A person's route as found: what is put back at the end."""

    rules: tuple[FoundRule, ...] = ()
    owners: tuple[FieldOwner, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class State:
    """The position of a rollout: all that a successor needs to go on."""

    ordinal: int = Field(default=0, description="Rollouts started so far.")
    stage: Stage = Stage.RESTING
    outcome: Outcome | None = None
    revision: str = Field(default="", description="Hash of the pinned template and the ordinal.")
    image: str = Field(default="", description="The image last started or found in place.")
    template_hash: str = Field(default="", description="Stable's template, image left out.")
    recorded: int = Field(default=0, description="The last weight all of whose gates passed.")
    announced: int = Field(default=0, description="The weight that the route is to carry.")
    entered_at: datetime | None = Field(default=None, description="When this wait began.")
    raised_at: datetime | None = Field(
        default=None, description="When the announced weight was first read back."
    )
    need: int = Field(default=0, description="Ready endpoints needed, as recorded at the raise.")
    short_since: datetime | None = Field(
        default=None, description="Since when fewer canary endpoints are ready than needed."
    )
    baseline_replicas: int = Field(default=0, description="Stable's replicas; only ever raised.")
    suite: int = Field(default=0, description="Index of the entry in spec.tests that runs.")
    run: int = Field(default=0, description="Number of the test run in this step, from 1.")
    run_started_at: datetime | None = None
    attempt: int = Field(default=0, description="Attempts used by the running suite, from 1.")
    interruptions: int = Field(default=0, description="Runs of this suite without a verdict.")
    suites_passed: bool = Field(default=False, description="This step's tests have passed.")
    tests_passed: int = 0
    tests_failed: int = 0
    evidence_pending: bool = Field(
        default=False, description="The failed test's log is still to be kept."
    )
    corrections: int = Field(default=0, description="Drift put back within this step.")
    corrected_version: str = Field(
        default="", description="The route's version that the last correction answers."
    )
    stable_written: bool = Field(
        default=False, description="Stable carries the canary's image; the canary is the safe side."
    )
    adopted: bool = Field(
        default=False, description="Somebody else gave stable the canary's image; it is not ours."
    )
    zero_since: datetime | None = Field(
        default=None, description="Since when the route has read 0 or lacked our destination."
    )
    suspended_at: datetime | None = None
    problem_since: datetime | None = None
    autoscaler_original: str | None = Field(
        default=None, description="The HPA's own scaleDown.selectPolicy, to be put back."
    )
    autoscaler: str = Field(default="", description="Name of the HPA that is held.")
    route: FoundRoute | None = Field(
        default=None, description="The route as found, where a person holds it."
    )
    releases: tuple[str, ...] = Field(
        default=(), description="Pinned release Secrets, one a suite."
    )
    approve_seen: str = ""
    abort_seen: str = ""
    retry_seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)
class Status:
    """The status of a GatewayCanary."""

    observed_generation: int = 0
    phase: Phase = Phase.PENDING
    state: State = Field(default_factory=State)
    provider: str = ""
    step: str = ""
    target_weight: int | None = None
    weight: int | None = None
    revision: str = ""
    stable_image: str = ""
    canary_image: str = ""
    started_at: datetime | None = None
    step_started_at: datetime | None = None
    completed_at: datetime | None = None
    message: str = Field(default="", max_length=MESSAGE_LENGTH)
    tests_summary: str = ""
    tests: tuple[HelmTestResult, ...] = ()
    history: tuple[StepRecord, ...] = Field(default=(), max_length=32)
    failure: Failure | None = None
    conditions: tuple[Condition, ...] = ()


ADAPTER: TypeAdapter[Status] = TypeAdapter(Status)


def parse_status(raw: dict[str, Any]) -> Status:
    """Read a stored status."""
    return ADAPTER.validate_python(raw)


def dump_status(status: Status) -> dict[str, Any]:
    """Give the JSON form that the API server stores; what is unset is left out."""
    dumped: dict[str, Any] = ADAPTER.dump_python(
        status, mode="json", by_alias=True, exclude_none=True
    )
    return dumped
