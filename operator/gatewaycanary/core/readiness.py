"""How many ready endpoints a weight needs, and when too few of them are a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import State
from gatewaycanary.core.observation import Endpoints

EVICTION_ALLOWANCE = 2


def need(spec: GatewayCanarySpec, *, weight: int, baseline: int) -> int:
    """Give the ready canary endpoints that a weight needs.

    Proportional never goes below two where stable has two, so that one eviction fails no release.
    """
    replicas = spec.canary.replicas
    if isinstance(replicas, int):
        return replicas
    if replicas == "Full":
        return max(1, baseline)
    return max(ceil(weight * baseline / 100), min(EVICTION_ALLOWANCE, baseline), 1)


def holds(endpoints: Endpoints, needed: int) -> bool:
    """Tell whether the canary can carry what needs so many endpoints."""
    return endpoints.canary >= needed


def both_empty(endpoints: Endpoints) -> bool:
    """Tell whether neither side has an endpoint: no verdict then, nothing would be won by it."""
    return endpoints.canary == 0 and endpoints.stable == 0


def collapsed(endpoints: Endpoints, needed: int) -> bool:
    """Tell whether the canary has lost so much that its traffic must go at once.

    Both sides empty is no verdict.
    """
    if endpoints.canary == 0:
        return endpoints.stable > 0
    return endpoints.canary * 2 < needed


def follow(state: State, endpoints: Endpoints, *, needed: int, now: datetime) -> State:
    """Note since when the canary lacks endpoints, or that it has them again."""
    if holds(endpoints, needed):
        return state if state.short_since is None else replace(state, short_since=None)
    return state if state.short_since else replace(state, short_since=now)


def deadline(state: State, endpoints: Endpoints, limit: timedelta) -> datetime | None:
    """Give the progress deadline, which restarts with each newly ready pod."""
    if state.short_since is None:
        return None
    newest = endpoints.canary_newly_ready_at
    since = state.short_since if newest is None else max(state.short_since, newest)
    return since + limit
