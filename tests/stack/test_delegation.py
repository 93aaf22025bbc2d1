"""Long tasks: step by step, each step once, whoever dies between."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from soma.settings import Role
from stack.flows import Flow, eventually

STEPS = ["What is 1 + 1?", "count: a b c", "tidy up", "reverse: abc", "calculate 2 * 3"]
RESULTS = [
    "The answer is 2.",
    "The answer is 3.",
    "I have noted: tidy up",
    "The answer is cba.",
    "The answer is 6.",
]


def start(flow: Flow, task: str) -> None:
    """Hand a task over."""
    gateway = flow.processes[Role.DELEGATION_GATEWAY]
    answer = gateway.post("/v1/tasks", {"id": task, "steps": STEPS})
    assert answer.status_code == 202, answer.text


async def shown(flow: Flow, task: str, *, done: int) -> dict[str, Any]:
    """Give a task once so many steps are done."""

    async def found() -> Any:
        answer = flow.processes[Role.DELEGATION_GATEWAY].get(f"/v1/tasks/{task}")
        assert answer is not None
        return answer.json() if answer.json()["done"] >= done else None

    told: dict[str, Any] = await eventually(found)
    return told


async def test_a_task_is_done_step_by_step(flow: Flow) -> None:
    """Handed over twice, done once."""
    task = str(uuid4())
    start(flow, task)
    start(flow, task)
    told = await shown(flow, task, done=len(STEPS))
    assert (told["state"], told["results"]) == ("done", RESULTS)
    query = "select settled_at is not null from outbox where envelope_id = $1::text::uuid"
    assert await flow.asked(query, task)


async def test_a_task_goes_on_where_a_killed_worker_stopped(flow: Flow) -> None:
    """No step is lost, and none counts twice."""
    task = str(uuid4())
    async with flow.held("tasks", "cardinality(new.results) = 3") as someone_waits:
        start(flow, task)
        await someone_waits()
        flow.processes[Role.DELEGATION_WORKER].kill()
    assert (await shown(flow, task, done=2))["state"] == "running"
    flow.start(Role.DELEGATION_WORKER)
    told = await shown(flow, task, done=len(STEPS))
    assert (told["state"], told["results"]) == ("done", RESULTS)


def test_another_task_under_a_known_id_is_refused(flow: Flow) -> None:
    """409; and what is no task 404."""
    task = str(uuid4())
    start(flow, task)
    gateway = flow.processes[Role.DELEGATION_GATEWAY]
    assert gateway.post("/v1/tasks", {"id": task, "steps": ["other"]}).status_code == 409
    answer = gateway.get(f"/v1/tasks/{uuid4()}")
    assert answer is not None
    assert answer.status_code == 404
