"""What one rule says of one observation, before it is put into words for the status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gatewaycanary.api.status import Failure, HelmTestResult, Phase, State, StepRecord
from gatewaycanary.core.decision import Action, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The state to go to, the effects, and the sentence that says why.

    ``rest``: nothing is under way or awaited (Ready). ``stalled``: a person must act.
    ``silent``: effects only; the stored status stays as it is.
    ``failure``, ``tests``, ``history``, ``stable_image``: None leaves the stored value.
    """

    state: State
    phase: Phase
    reason: str
    message: str
    rest: bool = False
    stalled: bool = False
    promoted: bool | None = None
    urgent: tuple[Action, ...] = ()
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    look_again_at: datetime | None = None
    failure: Failure | None = None
    tests: tuple[HelmTestResult, ...] | None = None
    history: tuple[StepRecord, ...] | None = None
    stable_image: str | None = None
    silent: bool = False
    started: bool = False
    completed: bool = False
