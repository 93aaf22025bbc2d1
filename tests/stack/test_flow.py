"""A message goes in, an answer comes out, once, whoever dies on the way."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from soma.domain.envelopes import DEAD, MESSAGES, Envelope
from soma.settings import Role
from stack.flows import Flow, eventually

DONE = 'soma_entries_total{outcome="done",stream="soma:messages"}'
REPEATED = 'soma_entries_total{outcome="repeated",stream="soma:messages"}'


async def test_a_message_is_answered_by_tool_and_by_memory(flow: Flow, session: str) -> None:
    """A tool's result and what was said before stand in the answers, in order."""
    flow.say("What is 2 + 3 * 4?", session=session)
    assert await flow.answers(session) == ["The answer is 14."]
    flow.say("I like tea", session=session)
    assert len(await flow.answers(session)) == 2
    flow.say("What did I say?", session=session)
    assert (await flow.answers(session))[1:] == [
        "I have noted: I like tea",
        "You said: What is 2 + 3 * 4?; I like tea.",
    ]


async def test_what_cannot_be_worked_out_is_an_answer(flow: Flow, session: str) -> None:
    """A tool that refuses is told to the user, and is no failure of the flow."""
    flow.say("What is 1 / 0?", session=session)
    assert await flow.answers(session) == ["That failed: nothing can be divided by zero."]
    assert flow.state(session) == ["answered"]


async def test_a_repeated_message_is_one_message(flow: Flow, session: str) -> None:
    """A sender that repeats itself changes nothing; the same id with another text is refused."""
    message = flow.say("count: a b c", session=session)
    flow.say("count: a b c", session=session, message=message)
    assert await flow.answers(session) == ["The answer is 3."]
    path = f"/v1/sessions/{session}/messages"
    answer = flow.processes[Role.GATEWAY].post(path, {"text": "another", "id": str(message)})
    assert answer.status_code == 409


async def test_a_worker_killed_in_the_middle_leaves_its_message_to_another(
    flow: Flow, session: str
) -> None:
    """The message that it held is taken over and answered exactly once."""
    worker = flow.processes[Role.CONVERSATION_WORKER]
    async with flow.held("messages", "new.role = 'assistant'") as someone_waits:
        flow.say("reverse: abc", session=session)
        await someone_waits()
        worker.kill()
    flow.start(Role.CONVERSATION_WORKER)
    assert await flow.answers(session) == ["The answer is cba."]
    assert flow.processes[Role.CONVERSATION_WORKER].counted(DONE) == 1


async def test_a_relay_killed_between_sending_and_marking_brings_no_second_answer(
    flow: Flow, session: str
) -> None:
    """The row is sent again, and the worker knows it by its id."""
    worker = flow.processes[Role.CONVERSATION_WORKER]
    worker.terminate()
    assert worker.ended() == 0
    async with flow.held("outbox", "new.sends > 0") as someone_waits:
        flow.say("reverse: abc", session=session)
        await someone_waits()
        flow.processes[Role.OUTBOX_SYNC].kill()
    flow.start(Role.OUTBOX_SYNC)
    async with flow.streams() as redis:

        async def is_sent_twice() -> bool:
            return int(await redis.xlen(MESSAGES)) >= 2

        await eventually(is_sent_twice)
    flow.start(Role.CONVERSATION_WORKER)
    assert await flow.answers(session) == ["The answer is cba."]

    async def is_known() -> bool:
        return flow.processes[Role.CONVERSATION_WORKER].counted(REPEATED) >= 1

    await eventually(is_known)
    assert await flow.answers(session) == ["The answer is cba."]


async def test_messages_taken_while_redis_is_away_are_answered_when_it_is_back(
    flow: Flow, session: str
) -> None:
    """The gateway takes messages without Redis; even streams that are lost with it are refilled."""
    worker = flow.processes[Role.CONVERSATION_WORKER]
    worker.terminate()
    assert worker.ended() == 0
    flow.say("What is 1 + 1?", session=session)

    async def is_sent() -> bool:
        return bool(await flow.asked("select bool_and(sends > 0) from outbox"))

    await eventually(is_sent)
    flow.redis.kill()
    gateway, relay = flow.processes[Role.GATEWAY], flow.processes[Role.OUTBOX_SYNC]
    assert gateway.is_ready()
    assert not relay.is_ready()
    flow.say("What is 2 + 2?", session=session)
    flow.redis.start()
    flow.start(Role.CONVERSATION_WORKER)
    assert sorted(await flow.answers(session)) == ["The answer is 2.", "The answer is 4."]


async def test_poison_goes_to_the_dead_after_its_deliveries(flow: Flow, session: str) -> None:
    """It is tried three times, kept with its reason, and holds up nobody."""
    poison = [
        {"id": "no id", "body": "{}"},
        {"id": str(uuid4()), "body": "no JSON"},
        Envelope(id=uuid4(), body={"session_id": "nobody's", "text": "hello"}).fields(),
    ]
    async with flow.streams() as redis:
        entries = [await redis.xadd(MESSAGES, fields) for fields in poison]
        flow.say("What is 6 * 7?", session=session)
        assert await flow.answers(session) == ["The answer is 42."]

        async def buried() -> Any:
            dead = {one["entry"]: one for _id, one in await redis.xrange(DEAD)}
            return dead if dead.keys() >= set(entries) else None

        dead = await eventually(buried)
        for entry, fields in zip(entries, poison, strict=True):
            assert json.loads(dead[entry]["fields"]) == fields
            assert dead[entry]["deliveries"] == "4"
            assert dead[entry]["reason"] == "not done in 3 deliveries"
        assert await redis.xlen(MESSAGES) == 0


async def test_a_message_that_always_fails_is_shown_as_failed(flow: Flow, session: str) -> None:
    """Its outbox row is settled, so it does not come again."""
    worker = flow.processes[Role.CONVERSATION_WORKER]
    worker.terminate()
    assert worker.ended() == 0
    failing = flow.another(Role.CONVERSATION_WORKER, SOMA_FAULT_ERROR_RATE="1")
    message = flow.say("hello", session=session)
    assert await flow.answers(session) == []
    assert flow.state(session) == ["failed"]
    query = "select settled_at is not null from outbox where envelope_id = $1"
    assert await flow.asked(query, message)
    failing.terminate()
    assert failing.ended() == 0
