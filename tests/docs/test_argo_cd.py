"""The health check for Argo CD, run as Argo CD would: Lua over the stored object."""

from __future__ import annotations

from typing import Any

import lupa
import pytest
import yaml

from docs.documents import blocks

KEY = "resource.customizations.health.canary.soma.dev_GatewayCanary"


def script() -> str:
    """Find the check in the documents."""
    texts = (yaml.safe_load(block.text) for block in blocks("yaml") if KEY in block.text)
    return str(next(iter(texts))["data"][KEY])


def health(status: dict[str, Any] | None, *, generation: int = 2) -> tuple[str, str]:
    """Run the check over an object with this status."""
    lua = lupa.LuaRuntime()
    check = lua.eval(f"function(obj) {script()} end")
    obj: dict[str, Any] = {"metadata": {"generation": generation}}
    if status is not None:
        obj["status"] = status
    answer = check(lua.table_from(obj, recursive=True))
    return str(answer["status"]), str(answer["message"])


def status(phase: str, *, observed: int = 2, **conditions: str) -> dict[str, Any]:
    """Make a status."""
    return {
        "observedGeneration": observed,
        "phase": phase,
        "message": "so it is",
        "conditions": [{"type": name, "status": value} for name, value in conditions.items()],
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, "Progressing"),
        ({"observedGeneration": 0, "phase": "Pending"}, "Progressing"),
        (status("Succeeded", observed=1, Ready="True"), "Progressing"),
        (status("Shifting", Ready="False", Reconciling="True", Stalled="False"), "Progressing"),
        (status("Succeeded", Ready="True", Stalled="False"), "Healthy"),
        (status("Idle", Ready="True", Stalled="False"), "Healthy"),
        (status("AwaitingHandover", Ready="True", Stalled="False"), "Healthy"),
        (status("Failed", Ready="False", Stalled="True"), "Degraded"),
        (status("Invalid", Ready="False", Stalled="True"), "Degraded"),
        (status("AwaitingApproval", Ready="False", Stalled="False"), "Suspended"),
        (status("Suspended", Ready="False", Stalled="False"), "Suspended"),
    ],
)
def test_argo_cd_sees_what_is(found: dict[str, Any] | None, expected: str) -> None:
    """In progress until the change is seen, then healthy, degraded or suspended as it stands."""
    assert health(found)[0] == expected


def test_argo_cd_shows_the_message() -> None:
    """The sentence of the status is the one that Argo CD shows."""
    assert health(status("Failed", Ready="False", Stalled="True"))[1] == "so it is"
