"""The schema: applied once, by one, and never from a file that has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

from devcluster.waiting import wait_until
from soma.settings import Role
from soma.storage.migrations import NEWEST, Migration, MigrationError, known, migrate, outstanding
from stack.flows import WITHIN, Flow, Process


@pytest.fixture
def empty(database: str) -> Iterator[str]:
    """Give the URL of a new database."""
    name = f"test_{uuid4().hex[:8]}"
    asyncio.run(_execute(database, f"create database {name}"))
    yield database.rpartition("/")[0] + f"/{name}"
    asyncio.run(_execute(database, f"drop database {name} with (force)"))


def test_migrations_side_by_side_are_applied_once(empty: str) -> None:
    """Whoever comes second finds nothing to do."""

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(migrate(empty) for _ in range(4)))

    applied = asyncio.run(all_at_once())
    assert sorted(applied, key=len)[:-1] == [[], [], []]
    assert max(applied, key=len) == [f"{one.version:04d} {one.name}" for one in known()]


def test_a_changed_file_is_refused(empty: str) -> None:
    """Nothing is applied then."""
    asyncio.run(migrate(empty))
    asyncio.run(_execute(empty, "update schema_versions set checksum = 'another'"))
    with pytest.raises(MigrationError, match="0001 was applied and has changed"):
        asyncio.run(migrate(empty))


def test_a_newer_schema_is_accepted() -> None:
    """An old version's migration may run after a new one's."""
    assert outstanding({one.version: one.checksum for one in known()} | {9999: "x"}, known()) == []


def test_what_is_missing_is_applied_in_order() -> None:
    """Also where only a part is there."""
    wanted = tuple(Migration(version=each, name="x", sql=str(each)) for each in (1, 2, 3))
    assert outstanding({1: wanted[0].checksum}, wanted) == list(wanted[1:])


def test_the_numbers_have_no_gap() -> None:
    """Each file follows the one before it."""
    assert [one.version for one in known()] == list(range(1, NEWEST + 1))


def test_a_role_waits_for_a_database_that_is_made_later(flow: Flow, database: str) -> None:
    """It stays, not ready, until the database is there and its schema applied."""
    name = f"later_{uuid4().hex[:8]}"
    url = database.rpartition("/")[0] + f"/{name}"
    relay = flow.another(Role.OUTBOX_SYNC, SOMA_DATABASE_URL=url)
    assert problems(relay) == {"database": "InvalidCatalogNameError"}
    asyncio.run(_execute(database, f"create database {name}"))
    assert wait_until(lambda: problems(relay) == {"database": "SchemaError"}, WITHIN)
    asyncio.run(migrate(url))
    assert wait_until(relay.is_ready, WITHIN)
    relay.terminate()
    assert relay.ended() == 0
    asyncio.run(_execute(database, f"drop database {name} with (force)"))


def problems(process: Process) -> object:
    """Give what a role says is away."""
    answer = process.get("/v1/ready")
    assert answer is not None
    return answer.json()["problems"]


def test_a_database_that_stays_away_ends_the_wait() -> None:
    """The wait is bounded."""
    with pytest.raises(OSError, match="Connect"):
        asyncio.run(migrate("postgresql://soma@127.0.0.1:1/soma", wait=0.1))


async def _execute(url: str, command: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(command)
    finally:
        await connection.close()
