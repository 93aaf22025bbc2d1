"""One flow for all tests: the servers and every role, started once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from soma.settings import Role
from soma.storage import migrations
from stack import servers
from stack.flows import Flow
from stack.nursery import Nursery


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Give the URL of a PostgreSQL."""
    servers.install()
    with servers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def running(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """Run everything."""
    home = tmp_path_factory.mktemp("flow")
    nursery = Nursery()
    redis = servers.Redis(home / "redis.log")
    redis.start()
    asyncio.run(migrations.migrate(database))
    flow = Flow(home, nursery=nursery, database=database, redis=redis)
    try:
        flow.start(Role.GATEWAY, *(role for role in Role if role is not Role.GATEWAY))
        yield flow
    finally:
        flow.close()
        nursery.close()
        redis.kill()


@pytest.fixture
def flow(running: Flow) -> Flow:
    """Give the flow with every role ready, whatever the test before did."""
    running.start(*(role for role, process in running.processes.items() if not process.is_ready()))
    return running


@pytest.fixture
def session() -> str:
    """Name a session of the test's own."""
    return f"test-{uuid4().hex[:12]}"
