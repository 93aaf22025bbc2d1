"""When stable counts as promoted, and what waits for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatewaycanary.api.status import Outcome, Stage
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import SetStableImage, WithdrawWeight
from gatewaycanary.core.observation import Endpoints, Observation, RouteView
from unit.core.observed import NEW, OLD, REVISION, ago, observed, position

TOP = RouteView(attached=True, weight=100, text="100", version="9")


def promoting(*, written: bool, **changes: Any) -> Observation:
    """Observe a promotion, before or after the write to stable."""
    state = position(
        stage=Stage.PROMOTING, recorded=100, announced=100, need=4, stable_written=written
    )
    at = observed(state, route=TOP, endpoints=Endpoints(stable=4, canary=4))
    image = NEW if written else OLD
    assert at.target is not None
    return replace(at, target=replace(at.target, image=image), **changes)


def lacking(at: Observation, **changes: Any) -> Observation:
    """Observe the same with the target otherwise."""
    assert at.target is not None
    return replace(at, target=replace(at.target, **changes))


def test_stable_gets_the_image_after_the_promotion_was_announced() -> None:
    """The write of stable follows from a stored PROMOTING, never from the turn that leads there."""
    decision = decide(promoting(written=False))
    assert decision.actions == (SetStableImage(image=NEW),)


def test_the_write_is_recorded_once_done() -> None:
    """That stable carries the image is read back, and then it is the canary that is proven."""
    at = promoting(written=False)
    state = decide(lacking(at, image=NEW, rolled_out=False)).status.state
    assert (state.stable_written, state.adopted) == (True, False)


def test_promoted_means_image_rollout_and_baseline() -> None:
    """All three together announce weight 0 and make the new image the safe side."""
    decision = decide(promoting(written=True))
    assert decision.actions == (WithdrawWeight(),)
    assert not decision.urgent
    assert decision.status.state.stage is Stage.FINALIZING
    assert (decision.status.state.outcome, decision.status.stable_image) == (Outcome.PROMOTED, NEW)


@pytest.mark.parametrize(
    "at",
    [
        lacking(promoting(written=True), rolled_out=False),
        lacking(promoting(written=True), replicas=3),
        promoting(written=True, endpoints=Endpoints(stable=3, canary=4)),
        promoting(written=True, endpoints=Endpoints(stable=0, canary=4)),
    ],
    ids=["not rolled out", "scaled down", "too few endpoints", "no endpoint"],
)
def test_promotion_waits_for_each_of_them(at: Observation) -> None:
    """Where one is missing the traffic stays on the canary, and nothing is written."""
    decision = decide(at)
    assert decision.status.state.stage is Stage.PROMOTING
    assert decision.actions == decision.urgent == ()


def test_a_failed_promotion_restores_stable_before_the_traffic_moves() -> None:
    """After our write the canary is the proven side: first the old image, then weight 0."""
    at = promoting(written=True)
    aborted = lacking(replace(at, meta=replace(at.meta, abort="now")), rolled_out=False)
    decision = decide(aborted)
    assert decision.urgent == ()
    assert decision.actions == (SetStableImage(image=OLD),)
    assert decision.status.state.stage is Stage.ROLLING_BACK


def test_an_empty_canary_is_no_proven_side() -> None:
    """With no canary endpoint left, one ready endpoint of stable is enough."""
    at = promoting(written=True, endpoints=Endpoints(stable=1, canary=0))
    assert decide(lacking(at, rolled_out=False)).urgent == (WithdrawWeight(mark=REVISION),)


def test_at_the_bound_any_endpoint_of_stable_is_enough() -> None:
    """After the progress deadline the wait for stable's recovery ends."""
    state = position(
        stage=Stage.ROLLING_BACK,
        outcome=Outcome.ABORTED,
        recorded=100,
        announced=100,
        stable_written=True,
        entered_at=ago(599),
    )
    at = observed(state, route=TOP, endpoints=Endpoints(stable=1, canary=4))
    late = replace(state, entered_at=ago(600))
    assert decide(lacking(at, rolled_out=False)).urgent == ()
    passed = observed(late, route=TOP, endpoints=Endpoints(stable=1, canary=4))
    assert decide(lacking(passed, rolled_out=False)).urgent == (WithdrawWeight(mark=REVISION),)
