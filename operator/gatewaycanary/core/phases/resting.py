"""RESTING: no rollout. One starts only on a new image in the spec or a new retry token.

A promoted or failed image never starts again because something else changed; stable leaving the
promoted image is told and not fought.
"""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Outcome, Phase, State
from gatewaycanary.core import limits, naming
from gatewaycanary.core.decision import (
    Action,
    AddFinalizer,
    DeleteCanary,
    Event,
    LoadTests,
    RemoveFinalizer,
)
from gatewaycanary.core.observation import Observation, RunPhase, Target
from gatewaycanary.core.rollback import FAILED_OUTCOMES
from gatewaycanary.core.suites import reset
from gatewaycanary.core.transitions import Move, advance
from gatewaycanary.core.turn import Turn

ENDED = FAILED_OUTCOMES | {Outcome.PROMOTED}
"""How a rollout ends whose image is not tried again: what forbids another is no news then."""


def turn(observation: Observation, state: State) -> Turn:
    """Start what is wanted, or say why there is nothing to do."""
    if observation.meta.deleting:
        return _deleted(observation, state)
    spec, target = observation.spec, observation.target
    if spec is None or target is None:
        return invalid(observation, state)
    desired = spec.desired_image(target.image)
    retried = observation.meta.retry not in ("", state.retry_seen)
    ended = state.outcome in ENDED and desired == state.image and not retried
    if observation.problems and not ended:
        return invalid(observation, state)
    if desired == target.image:
        return _nothing_to_do(observation, state, target)
    if desired == state.image and not retried:
        return _attempted(observation, state, target)
    return _start(observation, state, spec, target)


def _deleted(observation: Observation, state: State) -> Turn:
    actions: tuple[Action, ...] = (RemoveFinalizer(),) if observation.meta.finalizer else ()
    return Turn(
        state=state,
        phase=observation.status.phase,
        reason="Deleted",
        message="The GatewayCanary is being deleted",
        silent=True,
        actions=actions,
    )


def invalid(observation: Observation, state: State) -> Turn:
    """Wait for a contradiction to go, and after the grace say that a person must act."""
    if not observation.problems:
        return Turn(
            state=state, phase=Phase.PENDING, reason="TargetNotFound", message="No target yet"
        )
    first = observation.problems[0]
    immediate = next((p for p in observation.problems if p.immediate), None)
    shown = immediate or first
    since = state.problem_since or observation.now
    until = since + limits.PROBLEM_GRACE
    stalled = immediate is not None or observation.now >= until
    message = shown.sentence()
    new = stalled and observation.status.phase is not Phase.INVALID
    return Turn(
        state=state,
        phase=Phase.INVALID if stalled else Phase.PENDING,
        reason=shown.reason,
        message=message,
        stalled=stalled,
        events=(Event(reason=shown.reason, message=message, warning=True),) if new else (),
        look_again_at=observation.tests.look_again_at if stalled else until,
    )


def _nothing_to_do(observation: Observation, state: State, target: Target) -> Turn:
    accepted = replace(state, image=target.image, retry_seen=observation.meta.retry)
    if state.outcome is Outcome.PROMOTED and state.image == target.image:
        return Turn(
            state=accepted,
            phase=Phase.SUCCEEDED,
            reason="Succeeded",
            message=f"{target.image} is promoted",
            rest=True,
            promoted=True,
            stable_image=target.image,
        )
    return Turn(
        state=replace(accepted, outcome=None),
        phase=Phase.IDLE,
        reason="NothingToDo",
        message=f"Stable runs {target.image}",
        rest=True,
        stable_image=target.image,
    )


def _attempted(observation: Observation, state: State, target: Target) -> Turn:
    if state.outcome in FAILED_OUTCOMES:
        failure = observation.status.failure
        return Turn(
            state=state,
            phase=Phase.FAILED,
            reason=failure.reason if failure else "Failed",
            message=f"{failure.reason}: {failure.message}" if failure else "rolled back",
            stalled=True,
            promoted=False,
        )
    promoted = state.outcome is Outcome.PROMOTED
    message = (
        f"Stable has left {'the promoted ' if promoted else ''}{state.image} and runs "
        f"{target.image}; set a retry token to roll out again"
    )
    told = any(c.reason == "StableDiverged" for c in observation.status.conditions)
    return Turn(
        state=state,
        phase=Phase.SUCCEEDED if promoted else Phase.IDLE,
        reason="StableDiverged",
        message=message,
        rest=True,
        promoted=False,
        events=() if told else (Event(reason="StableDiverged", message=message, warning=True),),
        stable_image=target.image,
    )


def _start(observation: Observation, state: State, spec: GatewayCanarySpec, target: Target) -> Turn:
    image = spec.desired_image(target.image)
    if spec.suspend:
        return Turn(
            state=state,
            phase=Phase.SUSPENDED,
            reason="Suspended",
            message=f"Suspended before the rollout of {image}",
        )
    first = _before_start(observation, spec)
    if first:
        return Turn(
            state=state,
            phase=Phase.PENDING,
            reason="Starting",
            message=f"Starting the rollout of {image}",
            silent=True,
            actions=first,
        )
    message = f"Rolling out {image} beside {target.image}"
    return Turn(
        state=_started(observation, state, target, image=image),
        phase=Phase.PREPARING,
        reason="RolloutStarted",
        message=message,
        actions=() if observation.meta.finalizer else (AddFinalizer(),),
        events=(
            Event(reason="RolloutStarted", message=message),
            *(
                Event(reason=one.reason, message=one.sentence(), warning=True)
                for one in observation.warnings
            ),
        ),
        stable_image=target.image,
        started=True,
    )


def _started(observation: Observation, state: State, target: Target, *, image: str) -> State:
    ordinal = state.ordinal + 1
    autoscaler = observation.autoscaler
    return replace(
        reset(State()),
        ordinal=ordinal,
        stage=advance(state.stage, Move.START),
        revision=naming.revision(observation.revision_hash, ordinal),
        image=image,
        template_hash=target.template_hash,
        entered_at=observation.now,
        short_since=observation.now,
        baseline_replicas=target.replicas,
        autoscaler=autoscaler.name if autoscaler else "",
        autoscaler_original=autoscaler.select_policy if autoscaler else None,
        releases=observation.tests.releases,
        approve_seen=observation.meta.approve,
        abort_seen=observation.meta.abort,
        retry_seen=observation.meta.retry,
    )


def _before_start(observation: Observation, spec: GatewayCanarySpec) -> tuple[Action, ...]:
    if observation.canary is not None or observation.canary_service:
        return (DeleteCanary(),)
    if spec.tests and observation.tests.phase is RunPhase.UNLOADED:
        return (LoadTests(),)
    return ()
