"""The stable Service can be split, and the names of the canary are free."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.core.writes import Object
from unit.core.findings import Brief, briefly, found
from unit.core.objects import (
    OWN,
    deployment,
    service,
)

LABELLED = {"app": "web", "shard": "1"}


@pytest.mark.parametrize(
    ("objects", "spec", "expected"),
    [
        pytest.param([deployment()], {}, [("ServiceMissing", "Service web", "")], id="missing"),
        pytest.param(
            [deployment(), service("front")], {"service": {"stable": "front"}}, [], id="named"
        ),
        pytest.param(
            [deployment(), service(type="ExternalName", selector={})],
            {},
            [("ServiceExternalName", "Service web", "spec.type")],
            id="external name",
        ),
        pytest.param(
            [deployment(), service(clusterIP="None")],
            {},
            [("ServiceHeadless", "Service web", "spec.clusterIP")],
            id="headless",
        ),
        pytest.param(
            [deployment(), service(selector={})],
            {},
            [("ServiceWithoutSelector", "Service web", "spec.selector")],
            id="no selector",
        ),
        pytest.param(
            [deployment(), service(selector={"app": "api"})],
            {},
            [("ServiceSelectsOthers", "Service web", "spec.selector")],
            id="selects others",
        ),
        pytest.param(
            [deployment(labels={"shard": "1"}), service(selector={"shard": "1"})],
            {},
            [("SelectorLabelMissing", "Deployment web", "spec.selector.matchLabels")],
            id="no known label",
        ),
        pytest.param(
            [deployment(labels={"shard": "1"}), service(selector={"shard": "1"})],
            {"canary": {"selectorLabel": "shard"}},
            [],
            id="label chosen",
        ),
        pytest.param(
            [
                deployment(labels=LABELLED, matched={"app": "web"}),
                service(),
                service("all", selector={"shard": "1"}),
            ],
            {},
            [("ServiceCatchesCanary", "Service all", "spec.selector")],
            id="another catches the canary",
        ),
        pytest.param(
            [
                deployment(labels=LABELLED, matched={"app": "web"}),
                service(),
                service("all", selector={"shard": "1", "app": "web"}),
                service("other", selector={"shard": "2"}),
                service("none", selector={}),
            ],
            {},
            [],
            id="others that do not",
        ),
        pytest.param(
            [deployment(), service(), service("web-canary", selector={"tier": "front"}, own=OWN)],
            {},
            [],
            id="ours may",
        ),
        pytest.param(
            [deployment(), service(), deployment("old", labels={"app": "web-canary"})],
            {},
            [("CanaryLabelTaken", "Deployment old", "spec.template.metadata.labels")],
            id="the canary's value is taken",
        ),
        pytest.param(
            [
                deployment(labels={"track": "stable", "app": "web"}),
                service(selector={"track": "stable", "app": "web"}),
                deployment("api-canary", labels={"track": "stable-canary", "app": "api"}),
            ],
            {},
            [],
            id="another canary with the same label",
        ),
        pytest.param(
            [
                deployment(
                    selector={
                        "matchLabels": {"app": "web"},
                        "matchExpressions": [
                            {"key": "app", "operator": "NotIn", "values": ["web-canary"]}
                        ],
                    }
                ),
                service(),
            ],
            {},
            [("SelectorExcludesCanary", "Deployment web", "spec.selector.matchExpressions")],
            id="no room for the canary's value",
        ),
    ],
)
def test_services(objects: list[Object], spec: dict[str, Any], expected: list[Brief]) -> None:
    """The stable Service can be split, and no other sends requests past the weight."""
    assert briefly(found(*objects, **spec)) == expected


@pytest.mark.parametrize(
    ("objects", "spec", "expected"),
    [
        pytest.param(
            [deployment("web-canary", labels={"app": "x"})],
            {},
            [("NameTaken", "Deployment web-canary", "metadata.name")],
            id="deployment",
        ),
        pytest.param(
            [service("web-canary", selector={"app": "x"})],
            {},
            [("NameTaken", "Service web-canary", "metadata.name")],
            id="service",
        ),
        pytest.param(
            [service("next", selector={"app": "x"})],
            {"service": {"canary": "next"}},
            [("NameTaken", "Service next", "metadata.name")],
            id="service by another name",
        ),
        pytest.param(
            [
                deployment("web-canary", labels={"app": "web-canary"}, own=OWN),
                service("web-canary", selector={"app": "web-canary"}, own=OWN),
            ],
            {},
            [],
            id="ours",
        ),
    ],
)
def test_names(objects: list[Object], spec: dict[str, Any], expected: list[Brief]) -> None:
    """An object at a name of ours that is not ours is never adopted."""
    assert briefly(found(deployment(), service(), *objects, **spec)) == expected


def test_left_by_an_earlier_one() -> None:
    """An object of an earlier GatewayCanary says whose it was."""
    left = deployment(
        "web-canary",
        labels={"app": "x"},
        own={"canary.soma.dev/owner-uid": "old", "canary.soma.dev/canary": "gateway"},
    )
    assert "earlier GatewayCanary gateway" in found(deployment(), service(), left)[0].message
