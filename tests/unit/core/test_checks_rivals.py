"""Of two GatewayCanaries about the same thing the younger one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from unit.core.findings import Brief, briefly, found
from unit.core.objects import (
    canary,
    deployment,
    service,
)

EARLIER, SAME, LATER = "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
TARGET = ("TargetTaken", "GatewayCanary other", "spec.targetRef.name")
SERVICE = ("StableServiceTaken", "GatewayCanary other", "spec.service.stable")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param({"created": EARLIER}, [TARGET, SERVICE], id="older"),
        pytest.param({"created": LATER}, [], id="younger"),
        pytest.param({"created": SAME, "uid": "0"}, [TARGET, SERVICE], id="same second, lower uid"),
        pytest.param({"created": SAME, "uid": "f"}, [], id="same second, higher uid"),
        pytest.param({"created": EARLIER, "target": "api"}, [], id="another target"),
        pytest.param(
            {"created": EARLIER, "target": "api", "service": {"stable": "web"}},
            [SERVICE],
            id="another target, same Service",
        ),
        pytest.param(
            {"created": EARLIER, "service": {"stable": "api"}}, [TARGET], id="same target alone"
        ),
        pytest.param(
            {"created": EARLIER, "target": "x", "service": {"canary": "web"}},
            [],
            id="called as its canary Service",
        ),
    ],
)
def test_rivals(other: dict[str, Any], expected: list[Brief]) -> None:
    """Of two GatewayCanaries on one thing the younger is refused, by time and then by uid."""
    rival = canary("other", **{"uid": "1", **other})
    assert briefly(found(deployment(), service(), rival)) == expected


def test_oldest_rival_is_named() -> None:
    """Of several older ones the oldest is named."""
    rivals = [
        canary("second", uid="2", created=EARLIER),
        canary("first", uid="1", created="2020-01-01T00:00:00Z"),
    ]
    assert {each.object for each in found(deployment(), service(), *rivals)} == {
        "GatewayCanary first"
    }
