"""What covers stable covers the canary, or it is said that it does not."""

from __future__ import annotations

import pytest

from gatewaycanary.core.checks import problems, warnings
from gatewaycanary.core.writes import Object
from unit.core.findings import briefly, found
from unit.core.objects import (
    cache,
    canary,
    deployment,
    parsed,
    policy,
    selecting,
    service,
)

WEB, FRONT, NEXT = (
    {"matchLabels": {"app": "web"}},
    {"matchLabels": {"tier": "front"}},
    {"matchLabels": {"app": "web-canary"}},
)
HERE = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
GAP = "NetworkPolicyGap"
RULE = {"ingress": [{"ports": [{"port": 80}]}]}


@pytest.mark.parametrize(
    ("policies", "fields"),
    [
        pytest.param([policy("p", WEB)], ["spec.podSelector"], id="selects stable alone"),
        pytest.param([policy("p", FRONT)], [], id="selects both"),
        pytest.param([policy("p", {})], [], id="selects all"),
        pytest.param([policy("p", {"matchLabels": {"app": "api"}})], [], id="selects others"),
        pytest.param(
            [policy("p", WEB, **RULE), policy("q", NEXT, **RULE)],
            [],
            id="one like it for the canary",
        ),
        pytest.param(
            [policy("p", WEB, **RULE), policy("q", NEXT)],
            ["spec.podSelector"],
            id="another one for the canary",
        ),
        pytest.param(
            [policy("p", {}, ingress=[{"from": [{"podSelector": WEB}]}])],
            ["spec.ingress[0].from"],
            id="lets stable in",
        ),
        pytest.param(
            [policy("p", {}, egress=[{}, {"to": [{"podSelector": WEB}]}])],
            ["spec.egress[1].to"],
            id="lets out to stable",
        ),
        pytest.param(
            [policy("p", {}, ingress=[{"from": [{"podSelector": WEB}, {"podSelector": NEXT}]}])],
            [],
            id="lets both in",
        ),
        pytest.param(
            [
                policy(
                    "p",
                    {},
                    ingress=[{"from": [{"podSelector": WEB}]}, {"from": [{"podSelector": NEXT}]}],
                )
            ],
            [],
            id="lets both in, by two rules",
        ),
        pytest.param(
            [
                policy(
                    "p",
                    {},
                    ingress=[
                        {"from": [{"podSelector": WEB}], "ports": [{"port": 80}]},
                        {"from": [{"podSelector": NEXT}], "ports": [{"port": 81}]},
                    ],
                )
            ],
            ["spec.ingress[0].from"],
            id="lets the canary in elsewhere",
        ),
        pytest.param(
            [
                policy(
                    "p", {}, ingress=[{"from": [{"namespaceSelector": HERE, "podSelector": WEB}]}]
                )
            ],
            ["spec.ingress[0].from"],
            id="names the namespace too",
        ),
        pytest.param(
            [policy("p", {}, ingress=[{"from": [{"namespaceSelector": WEB, "podSelector": WEB}]}])],
            [],
            id="names other namespaces",
        ),
        pytest.param(
            [policy("p", {}, ingress=[{"from": [{"namespaceSelector": {}}]}])],
            [],
            id="lets all namespaces in",
        ),
        pytest.param(
            [policy("p", {}, ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])],
            [],
            id="names addresses",
        ),
        pytest.param([policy("p", {}, ingress=[{}])], [], id="lets everybody in"),
    ],
)
def test_network_policies(policies: list[Object], fields: list[str]) -> None:
    """A policy that covers stable, as subject or peer, covers the canary, unless that is waived."""
    objects = (deployment(), service(), *policies)
    assert briefly(found(*objects)) == [(GAP, "NetworkPolicy p", field) for field in fields]
    assert found(*objects, canary={"allowPolicyGap": True}) == ()


@pytest.mark.parametrize(
    ("obj", "reason"),
    [
        (selecting("PodDisruptionBudget", "x", WEB), "DisruptionBudgetGap"),
        (selecting("PodDisruptionBudget", "x", FRONT), None),
        (selecting("PodMonitor", "x", WEB), "MonitorGap"),
        (selecting("PodMonitor", "x", FRONT), None),
        (selecting("ServiceMonitor", "x", WEB), "MonitorGap"),
        (selecting("ServiceMonitor", "x", {}), None),
        (selecting("ServiceMonitor", "x", {"matchLabels": {"app": "api"}}), None),
    ],
)
def test_gaps_that_are_only_told(obj: Object, reason: str | None) -> None:
    """A budget or monitor that leaves the canary out is a warning, never a refusal."""
    own = canary()
    meta, spec = parsed(own)
    lookup = cache(own, deployment(), service(), obj)
    told = warnings(meta=meta, spec=spec, lookup=lookup)
    wanted = [(reason, f"{obj['kind']} x", "spec.selector")] if reason else []
    assert briefly(told) == wanted
    assert problems(meta=meta, spec=spec, lookup=lookup, running=False) == ()
