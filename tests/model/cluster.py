"""An abstract, deterministic cluster: the truth, its past, and what happens in it by itself.

Every change is kept by field, so that a view may stand at any earlier moment of each field.
Whatever happens of itself happens in micro steps (``progress``): one pod at a time, as the
Deployment controller goes about it with no pod allowed to be unavailable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from gatewaycanary.core.observation import PodFault
from model.pictures import Canary, CanaryPods, Picture, Stable


class Cluster:
    """The truth, with its past."""

    def __init__(self, first: Picture) -> None:
        self.now = first
        self.past: dict[str, list[Any]] = {
            field.name: [getattr(first, field.name)] for field in fields(first)
        }
        self.stable_stuck = False
        self.canary_stuck = False
        self.watchers: list[Callable[[Picture], None]] = []

    def change(self, **values: Any) -> bool:
        """Change these fields; tell whether anything is different now."""
        changed = {
            name: value for name, value in values.items() if getattr(self.now, name) != value
        }
        if not changed:
            return False
        self.now = replace(self.now, **changed)
        for name, value in changed.items():
            self.past[name].append(value)
        for watcher in self.watchers:
            watcher(self.now)
        return True

    def edit_resource(self, *, spec_changed: bool = False, **values: Any) -> None:
        """Change the GatewayCanary, as the API server stores it."""
        resource = self.now.resource
        if resource is None:
            return
        edited = replace(resource, **values)
        if edited != resource:
            generation = resource.generation + int(spec_changed)
            self.change(
                resource=replace(edited, version=resource.version + 1, generation=generation)
            )

    def set_stable(self, stable: Stable | None) -> bool:
        """Store the target with its pods."""
        ready = stable.endpoints if stable else 0
        return self.change(stable=stable, stable_ready=ready)

    def edit_stable(self, **values: Any) -> None:
        """Change the target's wish; its pods become old ones when their template changes."""
        stable = self.now.stable
        if stable is None or all(getattr(stable, name) == value for name, value in values.items()):
            return
        edited = replace(stable, **values, generation=stable.generation + 1)
        if (edited.image, edited.template) != (stable.image, stable.template):
            edited = replace(
                edited, ready=0, unready=0, old_ready=stable.endpoints, old_unready=stable.unready
            )
        self.set_stable(edited)

    def set_canary(self, canary: Canary | None, *, at: datetime | None = None) -> bool:
        """Store the canary with its pods; ``at`` is when one became ready."""
        pods = self.now.canary_pods
        ready = canary.ready if canary and self.now.service else 0
        newest = at if at and ready > pods.ready else pods.newly_ready_at
        if ready == 0:
            newest = None
        fault = pods.fault if canary else None
        return self.change(
            canary=canary,
            canary_pods=CanaryPods(ready=ready, newly_ready_at=newest, fault=fault),
        )

    def set_service(self, *, there: bool) -> None:
        """Make or delete the canary Service, without which there are no endpoints."""
        if self.change(service=there):
            self.set_canary(self.now.canary)

    def fault_canary(self, fault: PodFault | None) -> None:
        """Let a canary pod show a fault, or none."""
        if self.now.canary is not None:
            self.change(canary_pods=replace(self.now.canary_pods, fault=fault))

    def progress(self, now: datetime) -> bool:
        """Let the controllers do one micro step; tell whether there was one to do."""
        return self.progress_stable() or self.progress_canary(now)

    def progress_stable(self) -> bool:
        """Let the target's rollout go on by one pod."""
        stable = self.now.stable
        if stable is None:
            return False
        stuck = self.stable_stuck or stable.stuck
        return self.set_stable(_rolled(stable, stuck=stuck))

    def progress_canary(self, now: datetime) -> bool:
        """Let the canary's pods go on by one."""
        canary = self.now.canary
        if canary is None:
            return False
        if canary.deleting:
            return self.set_canary(None)
        if canary.ready + canary.unready > canary.replicas:
            return self.set_canary(_shrunk(canary))
        if canary.ready + canary.unready < canary.replicas:
            return self.set_canary(replace(canary, unready=canary.unready + 1))
        if canary.unready and not (self.canary_stuck or canary.stuck):
            grown = replace(canary, ready=canary.ready + 1, unready=canary.unready - 1)
            return self.set_canary(grown, at=now)
        return False


def _shrunk(canary: Canary) -> Canary:
    if canary.unready:
        return replace(canary, unready=canary.unready - 1)
    return replace(canary, ready=canary.ready - 1)


def _rolled(stable: Stable, *, stuck: bool) -> Stable:
    total = stable.ready + stable.unready
    old = stable.old_ready + stable.old_unready
    if stable.observed < stable.generation:
        return replace(stable, observed=stable.generation)
    if total > stable.replicas or stable.old_unready:
        return _fewer(stable)
    if stable.unready and not stuck:
        return replace(stable, unready=stable.unready - 1, ready=stable.ready + 1)
    if stable.old_ready and stable.ready + stable.old_ready > stable.replicas:
        return replace(stable, old_ready=stable.old_ready - 1)
    if total < stable.replicas and total + old <= stable.replicas:
        return replace(stable, unready=stable.unready + 1)
    return stable


def _fewer(stable: Stable) -> Stable:
    if stable.old_unready:
        return replace(stable, old_unready=stable.old_unready - 1)
    if stable.unready:
        return replace(stable, unready=stable.unready - 1)
    return replace(stable, ready=stable.ready - 1)
