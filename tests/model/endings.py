"""Where a canary may come to rest, and what must be true of it there (invariants 8 and 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gatewaycanary.api.status import Phase, Stage, Status
from gatewaycanary.core.decide import decide
from model.observing import observe
from model.pictures import Stable
from model.worlds import World

ENDS: Final = (Phase.SUCCEEDED, Phase.FAILED, Phase.IDLE)


def faults(world: World) -> Iterator[str]:
    """Give what is wrong with the place where the world has come to rest."""
    if world.now().resource is None:
        yield from _left_behind(world)
        return
    status = world.status()
    if not _may_wait(world, status):
        yield f"9. it stays in {status.phase} ({status.message}) for no reason"
    if status.state.stage is Stage.RESTING:
        yield from _left_behind(world)
    yield from _feeding(world)


def _may_wait(world: World, status: Status) -> bool:
    """9. Every canary reaches Succeeded, Failed, Invalid or a named wait."""
    now = world.now()
    resource = now.resource
    if resource is None:
        return False
    reason = status.conditions[0].reason if status.conditions else ""
    if resource.deleting:
        return now.stable is not None and _may_outlast_deletion(reason, status, now.stable)
    if resource.spec is None or now.stable is None or now.problems or not now.ingress:
        known = {Phase.INVALID, Phase.SUCCEEDED, Phase.FAILED}
        return status.phase in known or status.state.stage is not Stage.RESTING
    waits = {
        Phase.SUSPENDED: resource.spec.suspend,
        Phase.AWAITING_APPROVAL: resource.spec.step(status.state.announced).approval,
        Phase.AWAITING_HANDOVER: resource.spec.promotion.mode == "Handover",
        **dict.fromkeys(ENDS, status.state.stage is Stage.RESTING),
    }
    return waits.get(status.phase) or _named(reason, status, world)


def _may_outlast_deletion(reason: str, status: Status, stable: Stable) -> bool:
    """Tell whether traffic must stay: no write of ours may move it to a side that cannot carry it.

    Somebody has scaled stable to nothing, or has given it an image whose pods do not become ready,
    which is not ours to take back.
    """
    if reason == "StableNotReady":
        return status.state.adopted and not stable.rolled_out
    return reason == "StableUnavailable" and not stable.endpoints


def _named(reason: str, status: Status, world: World) -> bool:
    stable, resource = world.now().stable, world.now().resource
    if stable is None or resource is None or resource.spec is None:
        return True
    scaled_down = stable.replicas < status.state.baseline_replicas
    waits = {
        "CanaryNotReady": resource.spec.suspend,
        "StableRollingOut": resource.spec.suspend and not stable.rolled_out,
        "StableUnavailable": stable.endpoints == 0,
        "StableScaledDown": scaled_down,
        "StableNotReady": not stable.rolled_out or scaled_down,
    }
    return waits.get(reason, False)


def _left_behind(world: World) -> Iterator[str]:
    now = world.now()
    if world.ledger.let_go:
        return
    left = {
        "our destination in the route": now.route.attached or bool(now.route.mark),
        "a canary Deployment": now.canary is not None,
        "a canary Service": now.service,
        "test objects": bool(now.runs),
        "our finalizer": now.resource is not None and now.resource.finalizer,
    }
    for what, there in left.items():
        if there:
            yield f"3. at rest there is {what}"


def _feeding(world: World) -> Iterator[str]:
    """8. No two states feed each other for ever."""
    observation = observe(world.now(), world.operator.memory, world.clock())
    if observation is None:
        return
    decision = decide(observation)
    if decision.status != observation.status:
        yield f"8. at rest the status still changes: {decision.status}"
    if decision.urgent or decision.actions:
        yield f"8. at rest there are still effects: {decision.urgent + decision.actions}"
