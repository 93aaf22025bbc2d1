"""Connections to PostgreSQL: made when they are first needed, and each wait bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    # Only the stubs' class takes a parameter.
    Connection = PoolConnectionProxy[asyncpg.Record]
else:
    Connection = PoolConnectionProxy

UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    # A server that is only being set up, or whose password is being changed.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # Where the server's farewell to an idle connection meets the next query.
    asyncpg.InternalClientError,
)
"""What is raised while the database is away (a TimeoutError is an OSError)."""


class Database:
    """A pool that is empty until somebody asks, so that a process starts without the database."""

    def __init__(self, url: str, *, size: int = 8, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._pool = asyncpg.create_pool(
            url, min_size=0, max_size=size, timeout=seconds, command_timeout=seconds
        )

    async def __aenter__(self) -> Self:
        await self._pool
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Give a connection in a transaction that ends with the block."""
        async with (
            self._pool.acquire(timeout=self._seconds) as connection,
            connection.transaction(),
        ):
            yield connection

    async def schema_version(self) -> int:
        """Give the newest migration that was applied; 0 for none."""
        async with self._pool.acquire(timeout=self._seconds) as connection:
            if await connection.fetchval("select to_regclass('schema_versions')") is None:
                return 0
            found = await connection.fetchval(
                "select coalesce(max(version), 0) from schema_versions"
            )
            return int(found)
