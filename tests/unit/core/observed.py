"""Observations of a rollout at 25 %, to be changed where a test wants them otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.api.status import Condition, Phase, Stage, State, Status
from gatewaycanary.core.decide import decide
from gatewaycanary.core.observation import (
    CanaryWorkload,
    Endpoints,
    Meta,
    Observation,
    RouteView,
    Target,
)

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
REVISION: Final = "hash-1"
OLD: Final = "app:1"
NEW: Final = "app:2"


def ago(seconds: float) -> datetime:
    """Give a moment before now."""
    return NOW - timedelta(seconds=seconds)


def spec(image: str = NEW, **more: Any) -> GatewayCanarySpec:
    """Make a spec with one suite of tests."""
    base = {
        "targetRef": {"name": "gateway"},
        "image": image,
        "traffic": {"nginx": {"ingress": "gateway"}, "settle": "0s"},
        "tests": [{"helm": {"release": "app"}}],
    }
    return parse({**base, **more})


def position(**changes: Any) -> State:
    """Give the position at 25 %, read back 20 s ago, with the first test run announced."""
    at = State(
        ordinal=1,
        stage=Stage.RAMPING,
        revision=REVISION,
        image=NEW,
        template_hash="hash",
        recorded=10,
        announced=25,
        entered_at=ago(30),
        raised_at=ago(20),
        need=2,
        baseline_replicas=4,
        run=1,
        run_started_at=ago(20),
        attempt=1,
    )
    return replace(at, **changes)


def observed(state: State | None = None, **changes: Any) -> Observation:
    """Observe a rollout at 25 % at which nothing is wrong."""
    status = Status(phase=Phase.TESTING, state=state or position(), stable_image=OLD, step="3/6")
    at = Observation(
        now=NOW,
        meta=Meta(uid="uid", namespace="default", name="gateway", generation=1, finalizer=True),
        spec=spec(),
        status=status,
        target=Target(image=OLD, template_hash="hash", replicas=4, generation=1, rolled_out=True),
        revision_hash="hash",
        canary=CanaryWorkload(revision=REVISION, replicas=2),
        canary_service=True,
        endpoints=Endpoints(stable=4, canary=2),
        route=RouteView(attached=True, weight=25, text="25", version="7"),
    )
    return replace(at, **changes)


def settled(observation: Observation) -> Observation:
    """Observe again after the decision on this one was stored."""
    return replace(observation, status=decide(observation).status)


def conditions(status: Status) -> dict[str, Condition]:
    """Give the conditions by type."""
    return {condition.type: condition for condition in status.conditions}
