"""Routes that people hold: what counts as drift, what is put back, what gateways must have read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatewaycanary.api.status import FoundRoute, FoundRule, Outcome, Stage, State
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import (
    Action,
    Decision,
    DisownRoute,
    RaiseWeight,
    RemoveFinalizer,
    RestoreRoute,
    WithdrawWeight,
)
from gatewaycanary.core.observation import CanaryWorkload, Observation, RouteView
from unit.core.observed import NOW, REVISION, ago, observed, position, settled

FIRST = FoundRoute(rules=(FoundRule(name="primary"),))
UPGRADED = FoundRoute(rules=(FoundRule(name="primary", stable=100),))


def held(**changes: Any) -> RouteView:
    """Read a person's route at 25 %."""
    at = RouteView(
        attached=True, weight=25, text="25 %", version="7", user_held=True, found=FIRST, left=True
    )
    return replace(at, **changes)


RESET = held(attached=False, weight=None, found=UPGRADED, left=False)
"""As its owner's tool has written it again."""


def effects(decision: Decision) -> tuple[Action, ...]:
    """Give all effects in their order."""
    return decision.urgent + decision.actions


def test_the_first_raise_notes_what_was_found() -> None:
    """It is in the status before the route is written."""
    preparing = position(stage=Stage.PREPARING, recorded=0, announced=0, raised_at=None, run=0)
    decision = decide(observed(preparing, route=RESET))
    assert effects(decision) == (RaiseWeight(weight=5),)
    assert decision.status.state.route == UPGRADED


def test_a_raise_that_was_refused_notes_it_anew() -> None:
    """Who wrote the route in between has changed what is to be put back."""
    announced = position(recorded=0, announced=5, raised_at=None, run=0, route=FIRST)
    decision = decide(observed(announced, route=RESET))
    assert effects(decision) == (RaiseWeight(weight=5),)
    assert decision.status.state.route == UPGRADED
    assert decision.status.state.corrections == 0


def test_a_route_that_was_applied_again_is_drift() -> None:
    """It is put back, counted and told, and what it says now is what will be left."""
    decision = decide(observed(position(route=FIRST), route=RESET))
    assert effects(decision) == (RaiseWeight(weight=25),)
    assert decision.status.state.corrections == 1
    assert decision.status.state.route == UPGRADED
    assert [event.reason for event in decision.events] == ["Drift"]


def test_a_zero_that_was_there_before_is_drift_too() -> None:
    """The chart brings our destination along at 0: applied again, it is no person's brake."""
    route = held(weight=0, zero_at_start=True)
    assert effects(decide(observed(position(route=FIRST), route=route))) == (
        RaiseWeight(weight=25),
    )


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(held(weight=0), id="a zero that was not there before"),
        pytest.param(replace(RESET, withdrawn=REVISION), id="the mark, on a route applied again"),
        pytest.param(held(weight=0, zero_at_start=True, withdrawn=REVISION), id="the mark at 0"),
        pytest.param(RouteView(present=True), id="our Ingress, gone"),
    ],
)
def test_brakes(route: RouteView) -> None:
    """What a person or a revert has said is never raised again."""
    decision = decide(observed(position(route=FIRST), route=route))
    assert decision.status.failure is not None
    assert decision.status.failure.reason == "TrafficWithdrawn"


def test_the_third_correction_is_a_contest() -> None:
    """As with any route."""
    state = position(route=FIRST, corrections=2, corrected_version="6")
    decision = decide(observed(state, route=RESET))
    assert decision.status.failure is not None
    assert decision.status.failure.reason == "RouteContested"


def test_a_claim_that_a_crash_has_left_is_given_up() -> None:
    """It goes with each write of the route, else by itself, and not at rest."""
    claimed = held(claimed=True)
    assert DisownRoute() in effects(decide(observed(position(route=FIRST), route=claimed)))
    raising = decide(observed(position(route=FIRST), route=replace(RESET, claimed=True)))
    assert effects(raising) == (RaiseWeight(weight=25),)
    resting = decide(observed(position(stage=Stage.RESTING, outcome=Outcome.FAILED), route=claimed))
    assert effects(resting) == ()


def test_what_no_gateway_has_read_is_waited_for() -> None:
    """Longer than settle, and not for ever."""
    state = position(run=0, run_started_at=None, raised_at=ago(30), route=FIRST)
    waiting = decide(observed(state, route=held(settled=False)))
    assert waiting.status.conditions[0].reason == "Settling"
    assert waiting.requeue_after == timedelta(minutes=10, seconds=-30)
    late = replace(state, raised_at=ago(600))
    turned = decide(observed(late, route=held(settled=False)))
    assert turned.status.failure is not None
    assert turned.status.failure.reason == "RouteNotRead"
    assert turned.urgent == (WithdrawWeight(mark=REVISION),)


def test_no_deadline_runs_while_suspended() -> None:
    """A suspended rollout waits for its gateway as long as it takes."""
    state = position(run=0, raised_at=ago(600), suspended_at=ago(500), route=FIRST)
    at = observed(state, route=held(settled=False))
    assert at.spec is not None
    suspended = replace(at, spec=at.spec.model_copy(update={"suspend": True}))
    assert decide(suspended).status.failure is None


def finalizing(**changes: Any) -> Observation:
    """Observe a failed rollout whose route reads 0, which no gateway has read."""
    state = position(
        stage=Stage.FINALIZING, outcome=Outcome.FAILED, entered_at=ago(5), announced=0, route=FIRST
    )
    at = observed(state, route=held(weight=0, withdrawn=REVISION, settled=False))
    return replace(at, **changes)


def state_of(observation: Observation, **changes: Any) -> Observation:
    """Change the position."""
    state: State = replace(observation.status.state, **changes)
    return replace(observation, status=replace(observation.status, state=state))


def test_the_pods_stay_while_no_gateway_has_read_the_zero() -> None:
    """Traffic may still flow to them: the delay counts from when it is read."""
    waiting = decide(finalizing())
    assert (effects(waiting), waiting.status.state.zero_since) == ((), None)
    assert waiting.status.conditions[0].reason == "RouteNotRead"
    read = settled(replace(finalizing(), route=held(weight=0, withdrawn=REVISION)))
    assert read.status.state.zero_since == NOW


def test_what_is_never_read_stalls() -> None:
    """After the progress deadline a person must look at the gateway."""
    late = decide(state_of(finalizing(), entered_at=ago(601)))
    conditions = {one.type: one.status for one in late.status.conditions}
    assert (conditions["Stalled"], effects(late)) == ("True", ())


def test_a_deletion_does_not_wait_for_a_gateway_that_is_gone() -> None:
    """The finalizer goes after a minute, the pods stay, and it is told."""
    deleting = finalizing(meta=replace(observed().meta, deleting=True))
    assert RemoveFinalizer() not in effects(decide(deleting))
    late = decide(state_of(deleting, entered_at=ago(61)))
    assert effects(late) == (RemoveFinalizer(),)
    assert [event.reason for event in late.events] == ["RouteNotRead"]


def test_the_end_leaves_nothing() -> None:
    """The route is restored for as long as anything of ours is left in it, and then forgotten."""
    state = position(
        stage=Stage.FINALIZING,
        outcome=Outcome.PROMOTED,
        announced=0,
        zero_since=ago(60),
        route=FIRST,
    )
    gone: dict[str, Any] = {"canary": None, "canary_service": False}
    meta = replace(observed().meta, finalizer=False)
    at = replace(observed(state, route=held(weight=0, zero_at_start=True), meta=meta), **gone)
    assert effects(decide(at)) == (RestoreRoute(),)
    ended = decide(replace(at, route=held(weight=0, zero_at_start=True, left=False)))
    assert (ended.status.state.stage, ended.status.state.route) == (Stage.RESTING, None)


def test_an_unread_route_without_a_canary_holds_nothing_up() -> None:
    """Pods that are gone cannot be waited for."""
    assert RestoreRoute() in effects(decide(finalizing(canary=None)))
    assert decide(finalizing(canary=CanaryWorkload(revision="x", replicas=1))).actions == ()
