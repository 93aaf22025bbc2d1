"""The design's rules for a single decision: what it must say of what it saw.

Where ``invariants`` watch what the effects add up to, these ask whether one decision is right in
itself: at once where the design says at once, and traffic before everything else.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.api.status import Outcome, Stage
from gatewaycanary.core.decision import Decision, WithdrawWeight
from gatewaycanary.core.observation import Observation

PURSUED = frozenset({Stage.RAMPING, Stage.PROMOTING})


def faults(observation: Observation, decision: Decision) -> Iterator[str]:
    """Give every rule that this decision breaks."""
    for check in CHECKS:
        for told in check(observation, decision):
            yield f"{check.__name__}: {told}"


def carries(observation: Observation) -> bool:
    """Tell whether the route that was seen leads anything to the canary."""
    done = observation.meta.deleting and not observation.route.present
    return observation.route.attached and observation.route.weight != 0 and not done


def collapses_at_once(observation: Observation, decision: Decision) -> Iterator[str]:
    """While traffic flows, fewer than half of the need, or none: revert at once."""
    state, after = observation.status.state, decision.status.state
    if state.stage not in PURSUED or state.announced == 0 or not carries(observation):
        return
    ready, stable = observation.endpoints.canary, observation.endpoints.stable
    collapsed = ready * 2 < state.need and (ready > 0 or stable > 0)
    spared = after.adopted or after.outcome is Outcome.PROMOTED
    if collapsed and not spared and after.stage is not Stage.ROLLING_BACK:
        yield f"{ready} of {state.need} canary endpoints are ready, and nothing was done"


def traffic_first(observation: Observation, decision: Decision) -> Iterator[str]:
    """Weight 0 goes out at once, before the status, whenever the safe side can take the traffic."""
    state, after = observation.status.state, decision.status.state
    if after.stage is not Stage.ROLLING_BACK or not carries(observation):
        return
    if decision.status.phase == "RollingBack" and "the finalizer goes" in decision.summary:
        return
    endpoints = observation.endpoints
    safe = endpoints.stable > 0 and (not after.stable_written or endpoints.canary == 0)
    if safe and not any(isinstance(action, WithdrawWeight) for action in decision.urgent):
        yield f"turned from {state.stage}, and the traffic stayed"


def keeps_its_weight(observation: Observation, decision: Decision) -> Iterator[str]:
    """No weight 0 goes out in mid-ramp or during promotion, unless the rollout turns back."""
    before, after = observation.status.state.stage, decision.status.state.stage
    withdrawn = any(
        isinstance(one, WithdrawWeight) for one in (*decision.urgent, *decision.actions)
    )
    if withdrawn and before in PURSUED and after in PURSUED:
        yield f"weight 0 goes out in stage {after}"


def marks_what_failed(observation: Observation, decision: Decision) -> Iterator[str]:
    """The revert's route write carries the mark of its revision; a promotion's carries none."""
    promoted = decision.status.state.outcome is Outcome.PROMOTED
    wanted = "" if promoted else observation.status.state.revision
    for action in (*decision.urgent, *decision.actions):
        if isinstance(action, WithdrawWeight) and action.mark != wanted:
            yield f"the mark is {action.mark!r}, not {wanted!r}"


def looks_again_in_future(observation: Observation, decision: Decision) -> Iterator[str]:
    """A look again is asked for later, never for now."""
    del observation
    if decision.requeue_after is not None and decision.requeue_after.total_seconds() <= 0:
        yield f"look again after {decision.requeue_after}"


CHECKS = (
    keeps_its_weight,
    collapses_at_once,
    traffic_first,
    marks_what_failed,
    looks_again_in_future,
)
