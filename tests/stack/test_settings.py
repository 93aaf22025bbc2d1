"""Settings: what is needed is told by its variable, and no value is ever told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from soma.settings import (
    HTTP_PORTS,
    METRICS_PORTS,
    NEEDS,
    Role,
    Settings,
    SettingsError,
    read,
    variable,
)

README = (Path(__file__).resolve().parents[2] / "infra" / "stack" / "README.md").read_text()
WHOLE = {
    "SOMA_DATABASE_URL": "postgresql://soma:secret@db/soma",
    "SOMA_REDIS_URL": "redis://:secret@redis",
    "SOMA_MEMORY_ADDRESS": "memory:20017",
    "SOMA_GATEWAY_URL": "http://gateway:8010",
}


@pytest.mark.parametrize("role", Role)
def test_what_a_role_needs_is_told_all_at_once(role: Role) -> None:
    """Each variable that is missing, or empty, stands in the error."""
    with pytest.raises(SettingsError) as raised:
        read({"SOMA_DATABASE_URL": "", "OTHER": "1"}, role=role)
    wanted = {f"{variable(name)} is needed by {role}" for name in NEEDS[role]}
    assert set(str(raised.value).split("; ")) == wanted


@pytest.mark.parametrize("role", Role)
def test_a_whole_environment_serves_every_role(role: Role) -> None:
    """Ports are the role's own unless one is given."""
    ports = {**HTTP_PORTS, **METRICS_PORTS}
    assert read(WHOLE, role=role).port(role) == ports[role]
    given = {**WHOLE, "SOMA_HTTP_PORT": "1234", "SOMA_METRICS_PORT": "1234"}
    assert read(given, role=role).port(role) == 1234


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SOMA_HTTP_PORT", "secret", "valid integer"),
        ("SOMA_FAULT_ERROR_RATE", "1.5", "less than or equal to 1"),
        ("SOMA_FAULT_HEALTH", "secret", "'ok' or 'failing'"),
        ("SOMA_AUTH_MODE", "secret", "'off' or 'token'"),
        ("SOMA_DATABASE_URL", "mysql://u:secret@h", "must start with postgresql://"),
        ("SOMA_REDIS_URL", "secret", "must start with redis://"),
        ("SOMA_GATEWAY_URL", "secret", "must start with http://"),
    ],
)
def test_an_error_names_the_variable_and_not_its_value(name: str, value: str, words: str) -> None:
    """What was given might be a secret in the wrong place."""
    with pytest.raises(SettingsError) as raised:
        read({**WHOLE, name: value}, role=Role.GATEWAY)
    assert str(raised.value).startswith(name)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_token_is_needed_where_one_is_asked_for() -> None:
    """Nobody is let in by an empty token."""
    with pytest.raises(SettingsError, match="SOMA_AUTH_TOKEN is needed by SOMA_AUTH_MODE=token"):
        read({**WHOLE, "SOMA_AUTH_MODE": "token"}, role=Role.GATEWAY)


def test_variables_that_kubernetes_adds_are_no_settings() -> None:
    """A Service called soma-gateway brings SOMA_GATEWAY_PORT along."""
    added = {"SOMA_GATEWAY_PORT": "tcp://10.0.0.1:8010", "SOMA_MEMORY_SERVICE_HOST": "10.0.0.2"}
    assert read({**WHOLE, **added}, role=Role.UI) == read(WHOLE, role=Role.UI)


def test_settings_do_not_show_secrets() -> None:
    """Printed or not."""
    settings = read({**WHOLE, "SOMA_AUTH_TOKEN": "secret"}, role=Role.GATEWAY)
    assert "secret" not in f"{settings!r}{settings}{settings.model_dump_json()}"


def test_the_command_ends_with_2_on_wrong_settings() -> None:
    """And says which, in one line."""
    done = subprocess.run(
        [sys.executable, "-m", "soma", "tool-executor"],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "soma tool-executor: SOMA_REDIS_URL is needed by tool-executor\n"


def test_the_table_of_settings_is_the_code_s() -> None:
    """Each variable with its default and what it is for, in the code's order."""
    assert re.findall(r"^\| `SOMA_.*$", README, flags=re.MULTILINE) == [
        f"| `{variable(name)}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def test_the_table_of_roles_is_the_code_s() -> None:
    """Each role with its port and the variables that it needs."""
    ports = {**HTTP_PORTS, **METRICS_PORTS}
    for role in Role:
        needs = ", ".join(f"`{variable(name)}`" for name in NEEDS[role])
        assert re.search(rf"^\| `{role}` \| {ports[role]}\b.*\| {needs} \|", README, re.MULTILINE)


def _shown(default: object) -> str:
    empty = default.get_secret_value() == "" if isinstance(default, SecretStr) else default == ""
    return "–" if empty else f"`{default}`"
