"""What each role shows of itself, and how it ends."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from devcluster.waiting import wait_until
from soma.domain.envelopes import MESSAGES
from soma.memory.client import SERVICE
from soma.settings import Role
from stack.flows import WITHIN, Flow, Process
from stack.servers import PASSWORD, free_port


@pytest.mark.parametrize("role", Role)
def test_a_role_is_live_ready_versioned_and_measured(flow: Flow, role: Role) -> None:
    """All four on one port, and the version on every answer."""
    process = flow.processes[role]
    assert got(process, "/v1/health").json() == {"status": "ok"}
    assert got(process, "/v1/ready").json() == {"ready": True, "problems": {}}
    assert got(process, "/v1/version").json() == {"version": "1.2.3", "role": role.value}
    assert got(process, "/nothing").headers["x-soma-version"] == "1.2.3"
    assert process.counted(f'soma_build_info{{role="{role}",version="1.2.3"}}') == 1
    assert process.counted('soma_http_requests_total{code="200",method="GET",route="/v1/ready"}')


def test_a_role_without_its_dependencies_is_live_and_not_ready(flow: Flow) -> None:
    """Readiness names what is away, within a bound, and the process stays."""
    nowhere = f"127.0.0.1:{free_port()}"
    worker = flow.another(
        Role.CONVERSATION_WORKER,
        SOMA_DATABASE_URL=f"postgresql://soma@{nowhere}/soma",
        SOMA_REDIS_URL=f"redis://{nowhere}",
        SOMA_MEMORY_ADDRESS=nowhere,
    )
    ready = got(worker, "/v1/ready")
    assert ready.status_code == 503
    assert set(ready.json()["problems"]) == {"database", "redis", "memory"}
    assert got(worker, "/v1/health").status_code == 200
    assert nowhere not in ready.text
    worker.terminate()
    assert worker.ended() == 0


def test_a_gateway_whose_database_is_away_asks_to_try_again(flow: Flow) -> None:
    """503 and Retry-After, not 500."""
    url = f"postgresql://soma@127.0.0.1:{free_port()}/soma"
    gateway = flow.another(Role.GATEWAY, SOMA_DATABASE_URL=url)
    answer = got(gateway, "/v1/sessions/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    gateway.kill()


def test_memory_service_tells_health_and_what_it_serves(flow: Flow) -> None:
    """By the standard services, as probes, meshes and grpcurl ask."""
    with grpc.insecure_channel(f"127.0.0.1:{flow.grpc_port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        [told] = stub.ServerReflectionInfo(asked, timeout=5)
        listed = {one.name for one in told.list_services_response.service}
    assert listed >= {SERVICE, "grpc.health.v1.Health"}


def test_the_page_is_served_and_asks_through_the_ui(flow: Flow, session: str) -> None:
    """The page, its script and style; messages and answers by the ui's own address."""
    ui = flow.processes[Role.UI]
    page = got(ui, "/")
    assert "<title>Soma</title>" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert got(ui, "/page.js").headers["content-type"].startswith("text/javascript")
    assert got(ui, "/page.css").status_code == 200
    assert got(ui, f"/api/sessions/{session}").status_code == 404
    said = ui.post(f"/api/sessions/{session}/messages", {"text": "What is 5 - 7?"})
    assert said.status_code == 202
    assert said.headers["x-gateway-version"] == "1.2.3"
    assert asyncio.run(flow.answers(session)) == ["The answer is -2."]
    assert "The answer is -2." in got(ui, f"/api/sessions/{session}").text


def test_a_request_in_hand_is_answered_after_sigterm(flow: Flow, session: str) -> None:
    """The gateway says that it is not ready, finishes, and ends with 0."""
    gateway = flow.another(Role.GATEWAY, SOMA_FAULT_LATENCY_MS="1000", SOMA_DRAIN_MS="300")
    with ThreadPoolExecutor() as threads:
        path = f"/v1/sessions/{session}/messages"
        asked = threads.submit(gateway.post, path, {"text": "hello"})
        assert wait_until(lambda: gateway.counted("soma_in_hand") == 1, WITHIN, interval=0.01)
        gateway.terminate()
        assert wait_until(lambda: not gateway.is_ready(), WITHIN, interval=0.01)
        assert asked.result(WITHIN).status_code == 202
    assert gateway.ended() == 0
    assert asyncio.run(flow.answers(session)) == ["I have noted: hello"]


async def test_a_worker_finishes_and_leaves_its_group_at_sigterm(flow: Flow, session: str) -> None:
    """What it has in hand is answered by itself, and its seat is taken away."""
    flow.processes[Role.CONVERSATION_WORKER].terminate()
    assert flow.processes[Role.CONVERSATION_WORKER].ended() == 0
    worker = flow.another(Role.CONVERSATION_WORKER, SOMA_FAULT_LATENCY_MS="700")
    flow.say("reverse: abc", session=session)
    async with flow.streams() as redis:
        assert wait_until(lambda: worker.counted("soma_in_hand") == 1, WITHIN, interval=0.02)
        consumers = await redis.xinfo_consumers(MESSAGES, "conversation")
        assert any(one["name"].endswith(f"-{worker.pid}") for one in consumers)
        worker.terminate()
        assert worker.ended() == 0
        consumers = await redis.xinfo_consumers(MESSAGES, "conversation")
        assert all(not one["name"].endswith(f"-{worker.pid}") for one in consumers)
    assert await flow.answers(session) == ["The answer is cba."]


def test_a_token_is_asked_for_and_never_logged(flow: Flow, session: str) -> None:
    """Only the API asks for it; neither it nor a password stands in a log."""
    token = "the-token-that-nobody-sees"
    gateway = flow.another(
        Role.GATEWAY, SOMA_AUTH_MODE="token", SOMA_AUTH_TOKEN=token, SOMA_LOG_LEVEL="DEBUG"
    )
    path = f"/v1/sessions/{session}/messages"
    assert gateway.post(path, {"text": "x"}).status_code == 401
    assert gateway.post(path, {"text": "x"}, Authorization="Bearer other").status_code == 401
    assert gateway.post(path, {"text": "x"}, Authorization=f"Bearer {token}").status_code == 202
    for open_path in ("/v1/health", "/v1/ready", "/v1/version", "/metrics"):
        assert got(gateway, open_path).status_code == 200
    gateway.terminate()
    assert gateway.ended() == 0
    assert "stopped" in gateway.log
    logs = gateway.log + "".join(process.log for process in flow.processes.values())
    assert token not in logs
    assert PASSWORD not in logs


def got(process: Process, path: str) -> httpx.Response:
    """Ask a role that has to answer."""
    answer = process.get(path)
    assert answer is not None
    return answer
