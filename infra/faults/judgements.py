"""What faults may cost: judged against the same rollout without any."""

from __future__ import annotations

from faults.rollouts import Outcome

MOST = 3
"""How many times the requests of the run without faults a run with faults may send."""

FILES = 20
"""How many open files more than without faults are still no leak: connections in the pool."""

MEMORY = 30
"""How many MiB more than without faults are still no leak."""


def judge(outcome: Outcome, plain: Outcome) -> list[str]:
    """Say all that is wrong with a run: how it ended, and what it cost."""
    found = list(outcome.troubles)
    for what, sent, without in (
        ("requests", outcome.requests, plain.requests),
        ("writes", outcome.effects, plain.effects),
    ):
        if sent > MOST * without:
            found.append(f"{sent} {what}, more than {MOST} × {without}")
    if outcome.files > plain.files + FILES:
        found.append(f"{outcome.files} open files, {plain.files} without faults")
    if outcome.memory > plain.memory + MEMORY:
        found.append(f"{outcome.memory} MiB, {plain.memory} without faults")
    return found
