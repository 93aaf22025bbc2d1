"""The command: `soma ROLE` runs a role until SIGTERM, `soma migrate` brings the schema up to date,
`soma check NAME` tries a release.

Exit codes: 0 ended as asked, 1 failed, 2 wrong settings.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from soma import assembly, trials
from soma.settings import Role, SettingsError, read, read_database, read_trial
from soma.storage import migrations
from soma.storage.database import UNAVAILABLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "migrate":
            return asyncio.run(_migrate(wait=asked.wait))
        if asked.command == "check":
            return asyncio.run(_check(asked.trial))
        role = Role(asked.command)
        asyncio.run(assembly.run(read(os.environ, role=role), role))
    except SettingsError as error:
        print(f"soma {asked.command}: {error}", file=sys.stderr)
        return 2
    return 0


async def _migrate(*, wait: float) -> int:
    url = read_database(os.environ).database_url.get_secret_value()
    try:
        applied = await migrations.migrate(url, wait=wait)
    except (migrations.MigrationError, *UNAVAILABLE) as error:
        print(f"soma migrate: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"applied: {', '.join(applied)}" if applied else "nothing to apply")
    return 0


async def _check(trial: str) -> int:
    try:
        print(await trials.TRIALS[trial](read_trial(os.environ)))
    except trials.TrialError as error:
        print(f"soma check {trial}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soma", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for role in Role:
        commands.add_parser(role.value, help=f"run {role.value}")
    check = commands.add_parser("check", help="try a release, as its Helm tests do")
    check.add_argument("trial", choices=sorted(trials.TRIALS))
    migrate = commands.add_parser("migrate", help="bring the schema up to date")
    migrate.add_argument(
        "--wait", type=float, default=60.0, help="seconds to wait for the database (60)"
    )
    return parser
