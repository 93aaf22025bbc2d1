"""The roles as processes of their own, as a cluster runs them, and what tests look at."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from redis.asyncio import Redis as Client

from devcluster.waiting import wait_until
from soma.settings import HTTP_PORTS, Role
from stack.nursery import Nursery
from stack.servers import Redis, free_port

WITHIN = 20.0
CLIENT = httpx.Client(verify=False, trust_env=False, timeout=5)
SETTINGS = {
    "SOMA_BIND_ADDRESS": "127.0.0.1",
    "SOMA_VERSION": "1.2.3",
    "SOMA_CONCURRENCY": "2",
    "SOMA_RECLAIM_MS": "800",
    "SOMA_MAX_DELIVERIES": "3",
    "SOMA_POLL_MS": "20",
    "SOMA_RESEND_MS": "2500",
    "SOMA_TOOL_TIMEOUT_MS": "2000",
    "SOMA_TASK_PACE_MS": "100",
    "SOMA_DRAIN_MS": "0",
}


class Process:
    """A role that runs."""

    def __init__(
        self, nursery: Nursery, role: Role, log: Path, *, settings: dict[str, str]
    ) -> None:
        self.role = role
        self.port = free_port()
        self._log = log
        self._nursery = nursery
        kind = "HTTP" if role in HTTP_PORTS else "METRICS"
        environment = {**settings, f"SOMA_{kind}_PORT": str(self.port)}
        self.pid = nursery.start(role.value, environment=environment, log=log)

    @property
    def url(self) -> str:
        """Give where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has written."""
        return self._log.read_text()

    def get(self, path: str) -> httpx.Response | None:
        """Ask it, or give None where it does not answer."""
        try:
            return CLIENT.get(f"{self.url}{path}")
        except httpx.TransportError:
            return None

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """Send it a JSON body."""
        return CLIENT.post(f"{self.url}{path}", json=body, headers=headers)

    def is_ready(self) -> bool:
        """Tell whether it and its dependencies answer."""
        answer = self.get("/v1/ready")
        return answer is not None and answer.status_code == 200

    def answers(self) -> bool:
        """Tell whether it listens; a role that ended fails the test."""
        assert self._nursery.code(self.pid) is None, self.log
        return self.get("/v1/version") is not None

    def counted(self, sample: str) -> float:
        """Give the value of one sample of its metrics, 0 if there is none."""
        answer = self.get("/metrics")
        assert answer is not None
        for line in answer.text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0

    def kill(self) -> None:
        """End it as a node's end would."""
        if self._nursery.code(self.pid) is None:
            os.kill(self.pid, signal.SIGKILL)
            self.ended()

    def terminate(self) -> None:
        """Ask it to end."""
        os.kill(self.pid, signal.SIGTERM)

    def ended(self) -> int:
        """Await its end; give its exit code, negative for a signal."""
        assert wait_until(lambda: self._nursery.code(self.pid) is not None, WITHIN, interval=0.02)
        code = self._nursery.code(self.pid)
        assert code is not None
        return code


class Flow:
    """All roles over one PostgreSQL and one Redis."""

    def __init__(self, home: Path, *, nursery: Nursery, database: str, redis: Redis) -> None:
        self._nursery = nursery
        self.database_url = database
        self.redis = redis
        self.grpc_port = free_port()
        self.processes: dict[Role, Process] = {}
        self._home = home
        self._extra: list[Process] = []

    def settings(self) -> dict[str, str]:
        """Give the environment of all roles."""
        gateway = self.processes.get(Role.GATEWAY)
        return {
            **SETTINGS,
            "SOMA_DATABASE_URL": self.database_url,
            "SOMA_REDIS_URL": self.redis.url,
            "SOMA_MEMORY_ADDRESS": f"127.0.0.1:{self.grpc_port}",
            "SOMA_GRPC_PORT": str(self.grpc_port),
            "SOMA_GATEWAY_URL": gateway.url if gateway else "",
        }

    def start(self, *roles: Role, **settings: str) -> None:
        """Start roles, each instead of the one before it, and await that they are ready."""
        for role in roles:
            self.processes[role] = self._process(role, settings)
        for role in roles:
            assert wait_until(self.processes[role].is_ready, WITHIN, interval=0.05), self.processes[
                role
            ].log

    def another(self, role: Role, **settings: str) -> Process:
        """Start one more of a role, with settings of its own, and await that it listens."""
        process = self._process(role, settings)
        self._extra.append(process)
        assert wait_until(process.answers, WITHIN, interval=0.05), process.log
        return process

    def close(self) -> None:
        """End all that runs."""
        for process in (*self.processes.values(), *self._extra):
            process.kill()

    def _process(self, role: Role, settings: dict[str, str]) -> Process:
        log = self._home / f"{role}-{uuid4().hex[:6]}.log"
        return Process(self._nursery, role, log, settings={**self.settings(), **settings})

    def say(self, text: str, *, session: str, message: UUID | None = None) -> UUID:
        """Send a message to the gateway; give its id."""
        message = message or uuid4()
        gateway = self.processes[Role.GATEWAY]
        path = f"/v1/sessions/{session}/messages"
        answer = gateway.post(path, {"text": text, "id": str(message)})
        assert answer.status_code == 202, answer.text
        return message

    async def answers(self, session: str) -> list[str]:
        """Give the answers of a session once no message is pending."""

        async def shown() -> Any:
            answer = self.processes[Role.GATEWAY].get(f"/v1/sessions/{session}")
            if answer is None or answer.status_code == 503:
                return None
            found = answer.json()
            return found if found["pending"] == 0 else None

        found = await eventually(shown)
        return [one["text"] for one in found["messages"] if one["role"] == "assistant"]

    def state(self, session: str) -> list[str]:
        """Give the states of a session's messages of the user."""
        answer = self.processes[Role.GATEWAY].get(f"/v1/sessions/{session}")
        assert answer is not None
        return [one["state"] for one in answer.json()["messages"] if one["role"] == "user"]

    async def asked(self, query: str, *values: object) -> Any:
        """Ask the database for one value."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    async def break_connections(self) -> None:
        """Have the database end every connection that it has."""
        await self.asked(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[Any]:
        """Look into Redis."""
        client: Any = Client.from_url(self.redis.url, decode_responses=True, protocol=2)
        async with client:
            yield client

    @asynccontextmanager
    async def held(self, table: str, when: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Hold every write of a table that fits, within its transaction, until the block ends.

        Gives a wait for somebody being held. Whoever waits is gone at the end, as if its own
        connection had broken.
        """
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(_HOLD.format(table=table, when=when))
            await connection.execute("select pg_advisory_lock(99)")
            yield lambda: _one_waits(connection)
            await connection.execute(_LET_GO)
            await connection.execute(f"drop trigger hold on {table}")
        finally:
            await connection.close()


_HOLD = """
    create or replace function hold() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(99); return new; end $$;
    create trigger hold before insert or update on {table}
        for each row when ({when}) execute function hold();
"""
_WAITING = "select pid from pg_locks where locktype = 'advisory' and objid = 99 and not granted"
_LET_GO = f"select pg_terminate_backend(pid, 5000) from ({_WAITING}) as waiting"


async def _one_waits(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    async def waits() -> Any:
        return await connection.fetchval(_WAITING)

    await eventually(waits)


async def eventually(condition: Callable[[], Awaitable[Any]], within: float = WITHIN) -> Any:
    """Ask until something is told; fail after some seconds."""
    until = time.monotonic() + within
    while not (told := await condition()):
        assert time.monotonic() < until, f"still {told!r} after {within} s"
        await asyncio.sleep(0.02)
    return told
