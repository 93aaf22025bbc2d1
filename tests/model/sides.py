"""Which side is safe: what may be written to stable, and when traffic may leave either side."""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.api.status import Outcome, Stage
from gatewaycanary.core.decision import RestoreRoute, SetStableImage, WithdrawWeight
from model.ledgers import Ledger
from model.replicas import ROUTE_WRITES, StatusWrite, Step


def stable_image_only_when_proven(ledger: Ledger, step: Step) -> Iterator[str]:
    """3. Stable is untouched until promotion; a failed image is never written to it."""
    effect, state = step.effect, step.observation.status.state
    if not isinstance(effect, SetStableImage) or step.before.stable == step.after.stable:
        return
    if effect.image == step.observation.status.stable_image:
        return
    if effect.image != state.image:
        yield f"stable was given {effect.image}, which is neither side's image"
    elif state.recorded != 100 or state.stage is not Stage.PROMOTING:
        yield f"stable was given {effect.image} at {state.recorded} %, in {state.stage}"
    elif state.revision in ledger.turned:
        yield f"stable was given {effect.image}, which was turned back"
    elif step.observation.spec is not None and step.observation.spec.suspend:
        yield "stable was written while suspended"
    elif step.observation.spec and step.observation.spec.promotion.mode == "Handover":
        yield "stable was written in Handover"


def promoted_only_when_rolled_out(ledger: Ledger, step: Step) -> Iterator[str]:
    """Promotion. Stable gets the image, rolls out, has the baseline ready; only then weight 0."""
    del ledger
    old, target = step.observation.status.state, step.observation.target
    if not isinstance(step.effect, StatusWrite) or old.stage is not Stage.PROMOTING:
        return
    if step.effect.status.state.outcome is not Outcome.PROMOTED:
        return
    if target is None or target.image != old.image or not target.rolled_out:
        yield "promoted before stable was rolled out"
    if step.observation.endpoints.stable < max(1, old.baseline_replicas):
        yield f"promoted with {step.observation.endpoints.stable} endpoints on stable"


def stable_as_found_after_a_failure(ledger: Ledger, step: Step) -> Iterator[str]:
    """Which side is safe. A failure first restores `status.stableImage`, where we had written."""
    state, stable = step.observation.status.state, step.after.stable
    if not step.ends or state.outcome is Outcome.PROMOTED or stable is None:
        return
    if state.revision in ledger.written and stable.image == state.image:
        yield f"the rollout ended with {stable.image} on stable, though it was turned back"


def never_to_an_empty_side(ledger: Ledger, step: Step) -> Iterator[str]:
    """10. No write moves traffic to a side without ready endpoints while the other has some.

    A canary Ingress without the stable one serves nobody: on deletion it counts as done.
    """
    del ledger
    effect, seen = step.effect, step.observation.endpoints
    if not isinstance(effect, ROUTE_WRITES) or not step.moved:
        return
    if step.observation.meta.deleting and not step.observation.route.present:
        return
    up = step.upward
    if up and seen.canary == 0 and seen.stable > 0:
        yield "traffic was moved to a canary without endpoints"
    if not up and step.observation.route.attached and step.observation.route.weight != 0:
        if seen.stable == 0 and seen.canary > 0:
            yield "traffic was moved to a stable side without endpoints"
        if isinstance(effect, RestoreRoute):
            yield "the route was restored while it carried traffic"


def proven_side_until_stable_recovers(ledger: Ledger, step: Step) -> Iterator[str]:
    """10. From the write to stable on, 0 waits for stable, for an empty canary, or for a bound."""
    seen, state = step.observation, step.observation.status.state
    if not isinstance(step.effect, WithdrawWeight) or not step.moved:
        return
    if seen.endpoints.canary == 0 or seen.target is None:
        return
    written = state.revision in ledger.written and seen.target.image == state.image
    if not (written or state.stable_written) or state.stage is Stage.FINALIZING:
        return
    if step.decision.status.state.outcome is Outcome.PROMOTED:
        wanted = state.baseline_replicas
    else:
        wanted = min(state.baseline_replicas, seen.target.replicas)
    since = state.entered_at if state.stage is Stage.ROLLING_BACK else None
    limit = seen.spec.progress_deadline.total_seconds() if seen.spec else 600.0
    if since is not None and (seen.now - since).total_seconds() >= limit:
        return
    if seen.endpoints.stable < wanted:
        yield f"traffic left the proven side with {seen.endpoints.stable} of {wanted} on stable"
    if written and step.decision.status.state.outcome is not Outcome.PROMOTED:
        yield "traffic left the proven side before stable had its old image back"
