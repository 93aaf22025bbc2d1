"""Why a rollout turns back: the reasons, in the order in which they are asked.

A person's word comes first, then what stands in the route, then what changed, then what broke.
Gates are judged before deadlines, so that success seen late is success; the phases therefore ask
``broken`` only after their own gates.
"""

from __future__ import annotations

from gatewaycanary.api.status import Outcome, Stage, State
from gatewaycanary.core import limits, readiness, suites
from gatewaycanary.core.decision import LoadTests
from gatewaycanary.core.observation import Observation, RunPhase
from gatewaycanary.core.rollback import carries_traffic, turn_back
from gatewaycanary.core.turn import Turn

CORRECTIONS_ALLOWED = 2


def ordered(observation: Observation, state: State) -> Turn | None:
    """Turn back because a person or a changed object says so."""
    return (
        _deleted(observation, state)
        or _aborted(observation, state)
        or _withdrawn(observation, state)
        or _contested(observation, state)
        or _new_image(observation, state)
        or _stable_changed(observation, state)
        or _invalid(observation, state)
        or _unfinished(observation, state)
    )


def broken(observation: Observation, state: State) -> Turn | None:
    """Turn back because the canary is not what it must be; no verdict while nobody serves."""
    if state.announced > 0 and readiness.both_empty(observation.endpoints):
        return None
    return _collapsed(observation, state) or _fault(observation, state) or _late(observation, state)


def _deleted(observation: Observation, state: State) -> Turn | None:
    if not observation.meta.deleting:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.DELETED,
        reason="Deleted",
        message="The GatewayCanary is being deleted: traffic returns to the safe side",
    )


def _aborted(observation: Observation, state: State) -> Turn | None:
    token = observation.meta.abort
    if not token or token == state.abort_seen:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.ABORTED,
        reason="Aborted",
        message=f"Aborted by annotation ({token[:64]})",
    )


def touched(state: State) -> bool:
    """Tell whether the first raise is known to have reached the route."""
    return state.recorded > 0 or state.raised_at is not None


def _marked(observation: Observation, state: State) -> bool:
    return state.announced > 0 and observation.route.withdrawn == state.revision


def _withdrawn(observation: Observation, state: State) -> Turn | None:
    route = observation.route
    if route.pristine:
        # NB: the tool that holds the route has applied it again: drift, and no word of a person.
        return None
    zero = route.attached and route.weight == 0 and (touched(state) or not route.zero_at_start)
    gone = not route.attached and route.present and touched(state)
    if state.announced == 0 or _marked(observation, state) or not (zero or gone):
        return None
    return _traffic_withdrawn(
        observation, state, what="weight 0" if zero else "our destination is gone"
    )


def _unfinished(observation: Observation, state: State) -> Turn | None:
    """Go on with a revert whose status write never came: for its own reason, where it is seen."""
    if not _marked(observation, state):
        return None
    if _tests_unknown(observation, state) and not carries_traffic(observation):
        return Turn(
            state=state,
            phase=observation.status.phase,
            reason="TrafficWithdrawn",
            message="Traffic was taken off the canary: reading the tests to say why",
            silent=True,
            actions=(LoadTests(),),
        )
    if observation.tests.phase is RunPhase.FAILED and not state.suites_passed:
        reason, message, test = suites.verdict(observation, state)
        return turn_back(
            observation, state, outcome=Outcome.FAILED, reason=reason, message=message, test=test
        )
    return broken(observation, state) or _traffic_withdrawn(
        observation, state, what="its mark says so"
    )


def _tests_unknown(observation: Observation, state: State) -> bool:
    tested = observation.spec is not None and bool(observation.spec.tests) and state.run > 0
    return tested and not state.suites_passed and observation.tests.phase is RunPhase.UNLOADED


def _traffic_withdrawn(observation: Observation, state: State, *, what: str) -> Turn:
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="TrafficWithdrawn",
        message=f"Traffic was taken off the canary in the route ({what}): not raised again",
    )


def _contested(observation: Observation, state: State) -> Turn | None:
    if state.stage is not Stage.RAMPING or state.corrections <= CORRECTIONS_ALLOWED:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="RouteContested",
        message=f"Somebody else keeps changing the route's weight (now {observation.route.text})",
    )


def _new_image(observation: Observation, state: State) -> Turn | None:
    if observation.spec is None:
        return None
    stable = observation.status.stable_image
    desired = observation.spec.desired_image(stable)
    if desired == state.image:
        return None
    if desired == stable:
        return turn_back(
            observation,
            state,
            outcome=Outcome.SET_BACK,
            reason="SetBack",
            message=f"The image was set back to stable's {stable}",
        )
    return turn_back(
        observation,
        state,
        outcome=Outcome.SUPERSEDED,
        reason="Superseded",
        message=f"A new image {desired} was set: traffic back, then start over",
    )


def _stable_changed(observation: Observation, state: State) -> Turn | None:
    target = observation.target
    if target is None:
        return None
    if state.stable_written:
        return _contest_of_stable(observation, state, image=target.image)
    if target.image == observation.status.stable_image:
        if target.template_hash == state.template_hash:
            return None
        message = "Stable's pod template was changed: traffic back, then start over"
    else:
        message = f"Stable's image was changed to {target.image}: traffic back, then start over"
    return turn_back(
        observation, state, outcome=Outcome.SUPERSEDED, reason="StableChanged", message=message
    )


def _contest_of_stable(observation: Observation, state: State, *, image: str) -> Turn | None:
    if image == state.image:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="StableContested",
        message=f"Somebody else set stable's image to {image} during promotion: not rewritten",
    )


def _invalid(observation: Observation, state: State) -> Turn | None:
    problems = observation.problems
    if not problems:
        return None
    since = state.problem_since
    waited = since is not None and observation.now >= since + limits.PROBLEM_GRACE
    # NB: a target that is gone in mid-ramp is a wait with a name of its own.
    lasting = waited and observation.target is not None
    if not (lasting or any(problem.immediate for problem in problems)):
        return None
    shown = next((problem for problem in problems if problem.immediate), problems[0])
    return turn_back(
        observation,
        state,
        outcome=Outcome.INVALID,
        reason=shown.reason,
        message=shown.sentence(),
    )


def _collapsed(observation: Observation, state: State) -> Turn | None:
    flows = state.announced > 0 and observation.route.attached
    if not flows or not readiness.collapsed(observation.endpoints, state.need):
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="CanaryUnavailable",
        message=f"{observation.endpoints.canary} of {state.need} canary endpoints are ready",
    )


def _fault(observation: Observation, state: State) -> Turn | None:
    fault = observation.endpoints.canary_fault
    if fault is None:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason=fault.reason,
        message=f"A canary pod cannot run: {fault.message}",
    )


def _late(observation: Observation, state: State) -> Turn | None:
    limit = limits.limits(observation.spec).progress
    due = readiness.deadline(state, observation.endpoints, limit)
    if due is None or state.suspended_at is not None or observation.now < due:
        return None
    return turn_back(
        observation,
        state,
        outcome=Outcome.FAILED,
        reason="ProgressDeadlineExceeded",
        message=f"{observation.endpoints.canary} canary endpoints became ready in time, too few",
    )
