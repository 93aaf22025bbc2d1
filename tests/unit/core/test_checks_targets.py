"""The target is there, its container is known, and promotion can keep pods available."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.core.checks.targets import allowed_unavailable
from gatewaycanary.core.writes import Object
from unit.core.findings import Brief, briefly, found
from unit.core.objects import (
    container,
    deployment,
    service,
)

HANDOVER = {"promotion": {"mode": "Handover"}}
BOTH = [container(), container("proxy", "proxy:1")]


def rolling(unavailable: Any, surge: Any = "25%") -> dict[str, Any]:
    """Write a rolling strategy."""
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge},
    }


CONTAINERS = "spec.template.spec.containers"
UNAVAILABLE = "spec.strategy.rollingUpdate.maxUnavailable"


@pytest.mark.parametrize(
    ("objects", "spec", "expected"),
    [
        pytest.param(
            [service()], {}, [("TargetMissing", "Deployment web", "")], id="target missing"
        ),
        pytest.param(
            [deployment(containers=BOTH), service()],
            {},
            [("ContainerAmbiguous", "Deployment web", CONTAINERS)],
            id="container ambiguous",
        ),
        pytest.param(
            [deployment(containers=BOTH), service()], {"container": "web"}, [], id="container named"
        ),
        pytest.param(
            [deployment(), service()],
            {"container": "gone"},
            [("ContainerMissing", "Deployment web", CONTAINERS)],
            id="container absent",
        ),
        pytest.param(
            [deployment(strategy={"type": "Recreate"}), service()],
            {},
            [("TargetRecreates", "Deployment web", "spec.strategy.type")],
            id="recreate",
        ),
        pytest.param(
            [deployment(paused=True), service()],
            {},
            [("TargetPaused", "Deployment web", "spec.paused")],
            id="paused",
        ),
        pytest.param(
            [deployment(replicas=0), service()],
            {},
            [("TargetScaledToZero", "Deployment web", "spec.replicas")],
            id="zero replicas",
        ),
        pytest.param(
            [deployment(strategy=rolling(3), replicas=3), service()],
            {},
            [("NoneAvailable", "Deployment web", UNAVAILABLE)],
            id="all may be unavailable",
        ),
        pytest.param(
            [deployment(strategy=rolling("10%", "0%"), replicas=1), service()],
            {},
            [("NoneAvailable", "Deployment web", UNAVAILABLE)],
            id="both round to nothing",
        ),
        pytest.param(
            [deployment(strategy=rolling("25%"), replicas=1), service()], {}, [], id="one replica"
        ),
        pytest.param(
            [deployment(strategy={"type": "Recreate"}, paused=True, replicas=0), service()],
            HANDOVER,
            [],
            id="handover does not mind",
        ),
    ],
)
def test_target(objects: list[Object], spec: dict[str, Any], expected: list[Brief]) -> None:
    """The target is there, its container is known, and promotion keeps some pods available."""
    assert briefly(found(*objects, **spec)) == expected


@pytest.mark.parametrize(
    ("objects", "running"), [([service()], True), ([deployment(replicas=0), service()], True)]
)
def test_named_waits_are_no_problems(objects: list[Object], *, running: bool) -> None:
    """Mid-ramp a target that is gone or empty is a wait with a name, not a contradiction."""
    assert found(*objects, running=running) == ()
    assert len(found(*objects)) == 1


@pytest.mark.parametrize(
    ("unavailable", "surge", "replicas", "allowed"),
    [
        ("25%", "25%", 1, 0),
        ("25%", "25%", 4, 1),
        ("25%", "25%", 7, 1),
        ("99%", "25%", 2, 1),
        ("100%", "25%", 2, 2),
        (0, 1, 3, 0),
        (1, 0, 1, 1),
        (5, 0, 3, 3),
        ("10%", "0%", 3, 1),
        ("10%", "1%", 3, 0),
    ],
)
def test_rounding(unavailable: Any, surge: Any, replicas: int, allowed: int) -> None:
    """Percentages round as in Kubernetes: unavailable down, surge up, never both to nothing."""
    assert allowed_unavailable(unavailable, surge, replicas=replicas) == allowed
