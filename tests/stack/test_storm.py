"""Many messages while one part after another dies, by a seed.

`STACK_SEEDS=20 pytest tests/stack/test_storm.py` runs more of them.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from random import Random
from uuid import UUID, uuid5

import pytest

from devcluster.waiting import wait_until
from soma.settings import Role
from stack.flows import WITHIN, Flow

SEEDS = range(int(os.environ.get("STACK_SEEDS", "1")))
MESSAGES = 36
BLOW_EVERY = 6
PATIENT = {"SOMA_MAX_DELIVERIES": "50"}
NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def killed(role: Role) -> Callable[[Flow], Awaitable[None]]:
    """Make the blow that kills a role."""

    async def blow(flow: Flow) -> None:
        flow.processes[role].kill()
        flow.start(role, **PATIENT)

    return blow


async def replaced(flow: Flow) -> None:
    """End the worker as a rollout does."""
    flow.processes[Role.CONVERSATION_WORKER].terminate()
    assert flow.processes[Role.CONVERSATION_WORKER].ended() == 0
    flow.start(Role.CONVERSATION_WORKER, **PATIENT)


async def redis_lost(flow: Flow) -> None:
    """Lose all streams."""
    flow.redis.kill()
    flow.redis.start()


async def connections_broken(flow: Flow) -> None:
    """Lose all connections of the database."""
    await flow.break_connections()


BLOWS = (
    killed(Role.CONVERSATION_WORKER),
    killed(Role.TOOL_EXECUTOR),
    killed(Role.OUTBOX_SYNC),
    killed(Role.MEMORY_SERVICE),
    replaced,
    redis_lost,
    connections_broken,
)


@pytest.mark.parametrize("seed", SEEDS)
async def test_each_message_is_answered_once_whatever_dies(
    flow: Flow, session: str, seed: int
) -> None:
    """None is lost, none is answered twice, none wrongly."""
    chance = Random(seed)
    flow.processes[Role.CONVERSATION_WORKER].kill()
    flow.start(Role.CONVERSATION_WORKER, **PATIENT)
    for number in range(MESSAGES):
        say(flow, session, number)
        if number % BLOW_EVERY == BLOW_EVERY - 1:
            await chance.choice(BLOWS)(flow)
    answers = await flow.answers(session)
    assert sorted(answers) == sorted(f"The answer is {number + 1}." for number in range(MESSAGES))
    assert flow.state(session) == ["answered"] * MESSAGES
    settled = "select bool_and(settled_at is not null) from outbox where body->>'session_id' = $1"
    assert await flow.asked(settled, session)


def say(flow: Flow, session: str, number: int) -> None:
    """Send a message until it is taken, the same one at every try."""
    message = {"id": str(uuid5(NAMESPACE, f"{session} {number}")), "text": f"What is {number} + 1?"}
    gateway = flow.processes[Role.GATEWAY]

    def is_taken() -> bool:
        answer = gateway.post(f"/v1/sessions/{session}/messages", message)
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202

    assert wait_until(is_taken, WITHIN, interval=0.02)
