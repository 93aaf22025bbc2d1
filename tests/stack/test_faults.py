"""Faults on demand: each is seen, and where it can be, overcome."""

from __future__ import annotations

import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from devcluster.waiting import wait_until
from soma.domain.answers import WRONG
from soma.memory.client import SERVICE
from soma.settings import Role
from stack.flows import WITHIN, Flow
from stack.servers import free_port

WAITING = 'soma_entries_total{outcome="waiting",stream="soma:messages"}'
FAILED = 'soma_entries_total{outcome="failed",stream="soma:messages"}'


async def test_a_gateway_with_faults_shows_them(flow: Flow, session: str) -> None:
    """Every second request fails, each is late, answers are wrong, and health says failing."""
    flow.say("What is 6 * 7?", session=session)
    assert await flow.answers(session) == ["The answer is 42."]
    gateway = flow.another(
        Role.GATEWAY,
        SOMA_VERSION="2.0.0-bad",
        SOMA_FAULT_ERROR_RATE="0.5",
        SOMA_FAULT_LATENCY_MS="60",
        SOMA_FAULT_ANSWER="wrong",
        SOMA_FAULT_HEALTH="failing",
    )
    began = time.monotonic()
    answers = [gateway.get(f"/v1/sessions/{session}") for _ in range(6)]
    assert time.monotonic() - began >= 6 * 0.06
    assert [one and one.status_code for one in answers] == [200, 500] * 3
    for one in answers:
        assert one is not None
        assert one.headers["x-soma-version"] == "2.0.0-bad"
    assert answers[0] is not None
    assert [one["text"] for one in answers[0].json()["messages"]] == ["What is 6 * 7?", WRONG]
    for path in ("/v1/health", "/v1/ready"):
        answer = gateway.get(path)
        assert answer is not None
        assert answer.status_code == 503
    assert (
        gateway.counted('soma_http_requests_total{code="500",method="GET",route="none"}')
        + gateway.counted(
            'soma_http_requests_total{code="500",method="GET",route="/v1/sessions/{session_id}"}'
        )
        == 3
    )
    gateway.kill()


async def test_a_worker_that_fails_now_and_then_answers_all_the_same(
    flow: Flow, session: str
) -> None:
    """What failed is taken over; each message has one answer."""
    flow.processes[Role.CONVERSATION_WORKER].terminate()
    assert flow.processes[Role.CONVERSATION_WORKER].ended() == 0
    worker = flow.another(Role.CONVERSATION_WORKER, SOMA_FAULT_ERROR_RATE="0.5")
    for number in range(4):
        flow.say(f"What is {number} + 1?", session=session)
    expected = [f"The answer is {number + 1}." for number in range(4)]
    assert sorted(await flow.answers(session)) == expected
    assert worker.counted(FAILED) >= 2
    worker.terminate()
    assert worker.ended() == 0


async def test_a_memory_that_refuses_calls_is_waited_for(flow: Flow, session: str) -> None:
    """The message stays pending meanwhile, and is answered where memory is well."""
    port = str(free_port())
    memory = flow.another(Role.MEMORY_SERVICE, SOMA_GRPC_PORT=port, SOMA_FAULT_ERROR_RATE="1")
    flow.processes[Role.CONVERSATION_WORKER].terminate()
    assert flow.processes[Role.CONVERSATION_WORKER].ended() == 0
    worker = flow.another(
        Role.CONVERSATION_WORKER,
        SOMA_MEMORY_ADDRESS=f"127.0.0.1:{port}",
        SOMA_MAX_DELIVERIES="100",
    )
    assert wait_until(worker.is_ready, WITHIN, interval=0.05)
    flow.say("hello", session=session)
    assert wait_until(lambda: worker.counted(WAITING) >= 1, WITHIN, interval=0.02)
    assert memory.counted('soma_grpc_calls_total{code="UNAVAILABLE",method="Remember"}') >= 1
    assert flow.state(session) == ["pending"]
    memory.kill()
    worker.terminate()
    assert worker.ended() == 0
    flow.start(Role.CONVERSATION_WORKER)
    assert await flow.answers(session) == ["I have noted: hello"]


def test_a_memory_whose_health_fails_is_not_serving(flow: Flow) -> None:
    """Health is told by gRPC, and a worker that needs it is not ready."""
    port = str(free_port())
    memory = flow.another(Role.MEMORY_SERVICE, SOMA_GRPC_PORT=port, SOMA_FAULT_HEALTH="failing")
    worker = flow.another(Role.CONVERSATION_WORKER, SOMA_MEMORY_ADDRESS=f"127.0.0.1:{port}")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=5, wait_for_ready=True)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    ready = worker.get("/v1/ready")
    assert ready is not None
    assert ready.json()["problems"] == {"memory": "MemoryAwayError"}
    memory.kill()
    worker.kill()


async def test_connections_of_the_database_that_break_are_made_anew(
    flow: Flow, session: str
) -> None:
    """No process ends, and what comes next is answered."""
    await flow.break_connections()
    gateway = flow.processes[Role.GATEWAY]

    def is_taken() -> bool:
        path = f"/v1/sessions/{session}/messages"
        body = {"text": "hello", "id": "00000000-0000-4000-8000-000000000001"}
        return gateway.post(path, body).status_code == 202

    assert wait_until(is_taken, WITHIN, interval=0.05)
    assert await flow.answers(session) == ["I have noted: hello"]
    assert all(process.answers() for process in flow.processes.values())
