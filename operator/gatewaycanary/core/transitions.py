"""The transition table of a rollout.

Rules of the table:

- A rollout enters at START and leaves at END; in between it never rests.
- RAISE is the only move that may put more traffic on the canary, PROMOTE the only one that may
  lead to a write of stable, COMPLETE the only one that makes the new image the safe side.
- TURN_BACK is open from every stage in which the canary may carry traffic, and nothing leads
  from ROLLING_BACK back to a raise: a failed revision's weight never rises again.
- WITHDRAWN is taken only when the route reads 0 or lacks our destination.
"""

from __future__ import annotations

from enum import StrEnum

from gatewaycanary.api.status import Stage


class Move(StrEnum):
    """What a rollout may do next."""

    START = "start"
    RAISE = "raise"
    ADOPT = "adopt"
    PROMOTE = "promote"
    COMPLETE = "complete"
    TURN_BACK = "turn back"
    WITHDRAWN = "withdrawn"
    END = "end"


TABLE: dict[tuple[Stage, Move], Stage] = {
    (Stage.RESTING, Move.START): Stage.PREPARING,
    (Stage.PREPARING, Move.RAISE): Stage.RAMPING,
    (Stage.PREPARING, Move.TURN_BACK): Stage.ROLLING_BACK,
    (Stage.RAMPING, Move.RAISE): Stage.RAMPING,
    (Stage.RAMPING, Move.PROMOTE): Stage.PROMOTING,
    (Stage.RAMPING, Move.ADOPT): Stage.PROMOTING,
    (Stage.RAMPING, Move.TURN_BACK): Stage.ROLLING_BACK,
    (Stage.PROMOTING, Move.COMPLETE): Stage.FINALIZING,
    (Stage.PROMOTING, Move.TURN_BACK): Stage.ROLLING_BACK,
    (Stage.ROLLING_BACK, Move.WITHDRAWN): Stage.FINALIZING,
    (Stage.FINALIZING, Move.END): Stage.RESTING,
}


class IllegalTransitionError(Exception):
    """Raised when a rule asks for a move that the table does not have: a bug in the core."""


def advance(stage: Stage, move: Move) -> Stage:
    """Give the stage that a move leads to.

    Raises:
        IllegalTransitionError: the table has no such move from that stage.
    """
    try:
        return TABLE[stage, move]
    except KeyError:
        message = f"no move '{move}' from stage {stage}"
        raise IllegalTransitionError(message) from None


def mermaid() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Stage.RESTING}"]
    lines += [f"    {stage} --> {to}: {move}" for (stage, move), to in TABLE.items()]
    return "\n".join(lines) + "\n"
