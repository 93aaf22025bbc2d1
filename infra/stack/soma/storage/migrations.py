"""The schema, by numbered SQL files that only ever grow in number.

One process at a time applies them, under an advisory lock, all in one transaction. A file that
was applied and has changed since is an error: nobody could tell which schema is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from soma.storage.database import UNAVAILABLE

LOCK = 7_662_001
_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


class MigrationError(Exception):
    """Raised when the schema is not one that these files make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Tell a changed file from the one that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known() -> tuple[Migration, ...]:
    """Read the files, in order."""
    found = [
        Migration(version=int(name[1]), name=name[2], sql=file.read_text())
        for file in (files("soma.storage") / "sql").iterdir()
        if (name := _NAME.fullmatch(file.name))
    ]
    return tuple(sorted(found, key=lambda one: one.version))


NEWEST = max(one.version for one in known())


async def migrate(url: str, *, wait: float = 60.0) -> list[str]:
    """Bring the schema up to date; give the names of what was applied.

    The database is awaited for so many seconds.
    """
    connection = await _connected(url, wait=wait)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
            return await _applied(connection)
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    await connection.execute(
        "create table if not exists schema_versions (version integer primary key,"
        " name text not null, checksum text not null, applied_at timestamptz default now())"
    )
    rows = await connection.fetch("select version, checksum from schema_versions")
    there = {row["version"]: row["checksum"] for row in rows}
    missing = outstanding(there, known())
    for one in missing:
        await connection.execute(one.sql)
        await connection.execute(
            "insert into schema_versions (version, name, checksum) values ($1, $2, $3)",
            one.version,
            one.name,
            one.checksum,
        )
    return [f"{one.version:04d} {one.name}" for one in missing]


def outstanding(there: dict[int, str], wanted: tuple[Migration, ...]) -> list[Migration]:
    """Choose what has to be applied, or raise MigrationError.

    A schema that is newer than these files is accepted: an older version may run beside a newer
    one while a rollout lasts, so migrations have to be additive.
    """
    for one in wanted:
        if there.get(one.version, one.checksum) != one.checksum:
            raise MigrationError(f"migration {one.version:04d} was applied and has changed since")
    return [one for one in wanted if one.version not in there]


async def _connected(url: str, *, wait: float) -> asyncpg.Connection[asyncpg.Record]:
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        try:
            return await asyncpg.connect(url, timeout=5, command_timeout=60)
        except UNAVAILABLE:
            if loop.time() >= until:
                raise
            await asyncio.sleep(0.5)
