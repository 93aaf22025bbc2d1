"""``decide`` is total: no input raises, and what it says can be stored and is safe (8, 4, 10)."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given

from gatewaycanary.api.status import Stage, dump_status, parse_status
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import (
    DeleteCanary,
    DeleteTests,
    RaiseWeight,
    RestoreRoute,
    ScaleCanary,
    SetStableImage,
    WithdrawWeight,
)
from gatewaycanary.core.observation import Observation
from gatewaycanary.core.transitions import TABLE
from model.judgements import carries
from model.observations import OBSERVATIONS


@given(observation=OBSERVATIONS)
def test_every_observation_has_one_answer(observation: Observation) -> None:
    """The same observation always has the same answer, and its status survives being stored."""
    decision = decide(observation)
    assert decide(observation) == decision
    assert parse_status(dump_status(decision.status)) == decision.status
    assert decision.summary
    assert decision.requeue_after is None or decision.requeue_after > timedelta()


@given(observation=OBSERVATIONS)
def test_every_change_of_stage_is_in_the_table(observation: Observation) -> None:
    """The stored stage changes only by a move of the table."""
    before, after = observation.status.state.stage, decide(observation).status.state.stage
    moves = {(at, to) for (at, _), to in TABLE.items()}
    assert before is after or (before, after) in moves


@given(observation=OBSERVATIONS)
def test_a_raise_is_announced_and_carried(observation: Observation) -> None:
    """A raise goes out only at the announced weight, with endpoints for it on both sides."""
    decision = decide(observation)
    state, endpoints = decision.status.state, observation.endpoints
    for action in (*decision.urgent, *decision.actions):
        if not isinstance(action, RaiseWeight):
            continue
        assert action.weight == state.announced
        assert state.stage in {Stage.RAMPING, Stage.PROMOTING}
        rises = not observation.route.attached or (observation.route.weight or 0) < action.weight
        if rises:
            assert endpoints.canary >= state.need
        assert endpoints.stable > 0
        assert not observation.meta.deleting


@given(observation=OBSERVATIONS)
def test_traffic_never_goes_to_an_empty_stable_side(observation: Observation) -> None:
    """Weight 0 is written, and the route restored, only when stable can take the traffic."""
    decision = decide(observation)
    flows = carries(observation)
    for action in (*decision.urgent, *decision.actions):
        if isinstance(action, WithdrawWeight) and flows:
            assert observation.endpoints.stable > 0 or observation.endpoints.canary == 0
        if isinstance(action, RestoreRoute | DeleteCanary | DeleteTests):
            assert decision.status.state.stage is not Stage.RAMPING
        if isinstance(action, RestoreRoute):
            assert not flows


@given(observation=OBSERVATIONS)
def test_pods_stay_while_the_route_leads_to_them(observation: Observation) -> None:
    """Nothing that serves traffic is deleted or made smaller while the route carries a weight."""
    decision = decide(observation)
    flows = carries(observation)
    for action in (*decision.urgent, *decision.actions):
        if isinstance(action, DeleteCanary):
            assert not flows
        if isinstance(action, ScaleCanary) and observation.canary is not None:
            assert action.replicas > observation.canary.replicas


@given(observation=OBSERVATIONS)
def test_only_the_route_write_of_a_revert_is_urgent(observation: Observation) -> None:
    """Nothing but a withdrawal goes out before its status."""
    decision = decide(observation)
    assert all(isinstance(action, WithdrawWeight) for action in decision.urgent)
    if decision.urgent:
        assert decision.status.state.stage in {Stage.ROLLING_BACK, Stage.FINALIZING}


@given(observation=OBSERVATIONS)
def test_stable_is_written_only_for_a_promotion_or_its_undoing(observation: Observation) -> None:
    """Stable's image is touched only while promoting, or to give the old image back."""
    decision = decide(observation)
    for action in (*decision.urgent, *decision.actions):
        if not isinstance(action, SetStableImage):
            continue
        before = observation.status.state
        assert before.stage in {Stage.PROMOTING, Stage.ROLLING_BACK} or before.stable_written
        if decision.status.state.stage is Stage.ROLLING_BACK:
            assert action.image == observation.status.stable_image
        else:
            assert action.image == observation.status.state.image


@given(observation=OBSERVATIONS)
def test_suspension_holds_raises_and_stable(observation: Observation) -> None:
    """Suspended, no raise goes out and stable is not given the new image."""
    decision = decide(observation)
    if observation.spec is None or not observation.spec.suspend:
        return
    weight = observation.route.weight
    for action in decision.actions:
        if isinstance(action, RaiseWeight):
            assert observation.route.attached
            assert weight is not None
            assert weight > action.weight
        if isinstance(action, SetStableImage):
            assert action.image == observation.status.stable_image
