"""The order in which one look sends its effects: traffic, then the status, then what it announces.

``invariants`` judges by the first two what was performed, write by write; the last one is asked at
the end of a look, when it is plain what was never sent at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from gatewaycanary.core.decision import Decision
from model.ledgers import Ledger
from model.replicas import Effect, StatusWrite, Step


def traffic_before_status(ledger: Ledger, step: Step) -> Iterator[str]:
    """Revert. Traffic first, then status, then clean-up; it does not wait for its own status."""
    del ledger
    waiting = [one for one in step.decision.urgent if one not in step.earlier]
    if waiting and step.effect not in step.decision.urgent:
        yield f"{_name(step.effect)} was sent before {_name(waiting[0])}"


def status_before_effects(ledger: Ledger, step: Step) -> Iterator[str]:
    """5. Every status write precedes the effect that it announces."""
    del ledger
    if isinstance(step.effect, StatusWrite) or step.effect in step.decision.urgent:
        return
    recorded = any(isinstance(one, StatusWrite) for one in step.earlier)
    if _moves_on(step.observation.status.state, step.decision) and not recorded:
        yield f"{_name(step.effect)} was sent before the status that announces it"


def nothing_left_unsaid(
    before: object, decision: Decision, sent: Sequence[Effect], failed: Collection[int]
) -> Iterator[str]:
    """Revert. A revert that fails does not keep its status unsaid, and what is decided is done."""
    reverted = len(decision.urgent)
    recorded = any(isinstance(one, StatusWrite) for one in sent)
    if _moves_on(before, decision) and not recorded:
        yield "the look ended without having stored what it decided"
    if all(at < reverted for at in failed):
        for action in decision.actions:
            if action not in sent:
                yield f"the look ended without {_name(action)}"


def _moves_on(before: object, decision: Decision) -> bool:
    return decision.status.state != before


def _name(effect: Effect) -> str:
    return type(effect).__name__
