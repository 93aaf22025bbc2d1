"""The pages on routes that people hold name every reason to refuse or to warn."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from gatewaycanary.core import subsets
from gatewaycanary.core.checks import mesh
from gatewaycanary.traffic import gateway_api, held_checks, istio_checks

PAGES = Path(__file__).parents[3] / "docs" / "reference"


def reasons(*modules: ModuleType) -> set[str]:
    """Find the reasons that stand in the code."""
    text = "\n".join(inspect.getsource(module) for module in modules)
    return set(re.findall(r'reason="(\w+)"', text))


@pytest.mark.parametrize(
    ("page", "modules", "others"),
    [
        ("istio.md", (held_checks, istio_checks, subsets, mesh), {"ServiceExcludesCanary"}),
        ("gateway-api.md", (held_checks, gateway_api), set()),
    ],
)
def test_every_reason_is_named(
    page: str, modules: tuple[ModuleType, ...], others: set[str]
) -> None:
    """None is missing, and the table of what is refused names no other."""
    text = (PAGES / page).read_text()
    missing = {reason for reason in reasons(*modules) if f"`{reason}`" not in text}
    assert missing == set()
    refused = text.partition("## What is refused\n")[2].partition("\nTold as")[0]
    assert set(re.findall(r"`([A-Z]\w+[a-z])`", refused)) <= reasons(*modules) | others
