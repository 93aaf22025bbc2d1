"""The canary's own objects: what is still to be created, scaled or held for a rollout."""

from __future__ import annotations

from dataclasses import replace

from gatewaycanary.api.status import State
from gatewaycanary.core.decision import (
    Action,
    AddFinalizer,
    CreateCanary,
    CreateCanaryService,
    DeleteCanary,
    HoldAutoscaler,
    ScaleCanary,
)
from gatewaycanary.core.observation import Observation


def wanted(observation: Observation, state: State, *, replicas: int) -> tuple[Action, ...]:
    """Give the effects that bring the canary to so many replicas; the finalizer goes first."""
    if not observation.meta.finalizer:
        return (AddFinalizer(),)
    canary = observation.canary
    if canary is None:
        deployment: tuple[Action, ...] = (
            CreateCanary(revision=state.revision, image=state.image, replicas=replicas),
        )
    elif canary.revision != state.revision:
        return () if canary.deleting else (DeleteCanary(),)
    else:
        deployment = (ScaleCanary(replicas=replicas),) if canary.replicas < replicas else ()
    service: tuple[Action, ...] = () if observation.canary_service else (CreateCanaryService(),)
    return deployment + service


def follow_autoscaler(observation: Observation, state: State) -> State:
    """Note the policy of an autoscaler that is not held, to be put back at the end."""
    autoscaler = observation.autoscaler
    if autoscaler is None or autoscaler.held:
        return state
    return replace(state, autoscaler=autoscaler.name, autoscaler_original=autoscaler.select_policy)


def hold_autoscaler(observation: Observation) -> tuple[Action, ...]:
    """Hold the target's autoscaler, again where somebody's upgrade has let it go."""
    autoscaler = observation.autoscaler
    if autoscaler is None or autoscaler.held or not observation.meta.finalizer:
        return ()
    return (HoldAutoscaler(name=autoscaler.name),)


def waiting_for(observation: Observation, *, needed: int) -> str:
    """Say what the rollout waits for before it can raise.

    NB: without the number that is ready now, or every pod would cost a status write.
    """
    if observation.endpoints.stable == 0:
        return "StableUnavailable: stable has no ready endpoint, no weight is raised"
    if observation.problems:
        return observation.problems[0].sentence()
    return f"Waiting for the canary: it needs {needed} ready endpoints"


def wait_reason(observation: Observation) -> str:
    """Name what the rollout waits for before it can raise."""
    if observation.endpoints.stable == 0:
        return "StableUnavailable"
    return observation.problems[0].reason if observation.problems else "CanaryNotReady"
