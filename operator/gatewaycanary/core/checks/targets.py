"""The target: is it there, is its container known, and can it be promoted without an outage."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.containers import container_index
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield what is wrong with the target."""
    deployment = scene.deployment
    name = f"Deployment {scene.spec.target_ref.name}"
    if deployment is None:
        if not scene.running:
            yield Problem(
                reason="TargetMissing",
                object=name,
                message="there is no such Deployment in this namespace; spec.targetRef names it",
            )
        return
    found = container_index(deployment, scene.spec.container)
    if isinstance(found, Problem):
        yield found
    if scene.spec.promotion.mode == "Automatic":
        yield from _unpromotable(deployment, name, running=scene.running)


def _unpromotable(deployment: Object, name: str, *, running: bool) -> Iterator[Problem]:
    spec = deployment["spec"]
    strategy = spec.get("strategy") or {}
    replicas = spec.get("replicas", 1)
    if strategy.get("type") == "Recreate":
        yield Problem(
            reason="TargetRecreates",
            object=name,
            field="spec.strategy.type",
            message="Recreate ends all of stable's pods before promotion starts new ones; use "
            "RollingUpdate, or promotion.mode: Handover",
        )
    if spec.get("paused"):
        yield Problem(
            reason="TargetPaused",
            object=name,
            field="spec.paused",
            message="a paused Deployment does not roll out the promoted image; resume it, or use "
            "promotion.mode: Handover",
        )
    if replicas == 0:
        if not running:
            yield Problem(
                reason="TargetScaledToZero",
                object=name,
                field="spec.replicas",
                message="stable has no pods to compare the canary with; scale it up",
            )
    elif strategy.get("type", "RollingUpdate") == "RollingUpdate":
        yield from _without_available(strategy, name, replicas=replicas)


def _without_available(strategy: Object, name: str, *, replicas: int) -> Iterator[Problem]:
    rolling = strategy.get("rollingUpdate") or {}
    unavailable = rolling.get("maxUnavailable", "25%")
    if allowed_unavailable(unavailable, rolling.get("maxSurge", "25%"), replicas=replicas) < (
        replicas
    ):
        return
    yield Problem(
        reason="NoneAvailable",
        object=name,
        field="spec.strategy.rollingUpdate.maxUnavailable",
        message=f"{unavailable} of {replicas} lets promotion end all of stable's pods at once; "
        "set it to 0 with a maxSurge of 1, or use promotion.mode: Handover",
    )


def allowed_unavailable(max_unavailable: Any, max_surge: Any, *, replicas: int) -> int:
    """Resolve maxUnavailable as the Deployment controller does.

    Percentages of unavailable round down, those of surge up; where both come to 0, one pod may be
    unavailable, since the rollout could not move otherwise.
    """
    unavailable = floor(_share(max_unavailable, replicas))
    if unavailable == 0 and ceil(_share(max_surge, replicas)) == 0:
        return 1
    return min(unavailable, replicas)


def _share(value: Any, replicas: int) -> float:
    text = str(value)
    if text.endswith("%"):
        return int(text[:-1]) * replicas / 100
    return int(text)
