"""A mesh's policies must cover the canary as they cover stable, and let its tests through."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.core.writes import Object
from unit.core.findings import Brief, briefly, found
from unit.core.objects import NAMESPACE, deployment, service

ISTIO = {"istio": {"virtualService": "web"}}
TESTS = [{"helm": {"release": "web"}, "target": "canary"}]
WEB, NEXT = {"app": "web"}, {"app": "web-canary"}


def policy(kind: str, name: str = "p", namespace: str = NAMESPACE, **spec: Any) -> dict[str, Any]:
    """Write a policy of a mesh."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": f"2026-{name}"},
        "spec": spec,
    }


def authorization(name: str, labels: Object, **spec: Any) -> dict[str, Any]:
    """Write an AuthorizationPolicy."""
    return policy("AuthorizationPolicy", name, selector={"matchLabels": labels}, **spec)


def mutual(mode: str, name: str = "p", labels: Object | None = None, **more: Any) -> dict[str, Any]:
    """Write a PeerAuthentication."""
    selector: dict[str, Any] = {"selector": {"matchLabels": labels}} if labels else {}
    return policy("PeerAuthentication", name, mtls={"mode": mode}, **selector, **more)


def sidecar(*hosts: str) -> dict[str, Any]:
    """Write a Sidecar that lets clients reach these hosts."""
    return policy("Sidecar", egress=[{"hosts": list(hosts)}])


def told(*objects: Object, **spec: Any) -> list[Brief]:
    """Find what is wrong with stable and its Service among these objects."""
    return briefly(found(deployment(), service(), *objects, **{"traffic": ISTIO, **spec}))


@pytest.mark.parametrize(
    ("objects", "wanted"),
    [
        ([authorization("p", WEB)], [("AuthorizationPolicy p", "spec.selector.matchLabels")]),
        ([authorization("p", {"tier": "front"})], []),
        ([authorization("p", {"app": "api"})], []),
        ([authorization("p", WEB, action="DENY"), authorization("q", NEXT, action="DENY")], []),
        (
            [authorization("p", WEB, action="DENY"), authorization("q", NEXT)],
            [("AuthorizationPolicy p", "spec.selector.matchLabels")],
        ),
        ([mutual("STRICT", labels=WEB)], [("PeerAuthentication p", "spec.selector.matchLabels")]),
        ([mutual("STRICT")], []),
        (
            [policy("Sidecar", workloadSelector={"labels": WEB})],
            [("Sidecar p", "spec.workloadSelector.labels")],
        ),
        ([sidecar("./web")], [("Sidecar p", "spec.egress[0].hosts")]),
        ([sidecar("./web.shop.svc.cluster.local")], [("Sidecar p", "spec.egress[0].hosts")]),
        ([sidecar("./web", "./web-canary")], []),
        ([sidecar("./web", "shop/*")], []),
        ([sidecar("./api")], []),
        ([policy("Sidecar", egress=[{"hosts": "odd"}, 3])], []),
    ],
)
def test_gaps(objects: list[Object], wanted: list[tuple[str, str]]) -> None:
    """What selects stable, or lets clients reach it, and leaves the canary out, is a gap."""
    assert told(*objects) == [("MeshPolicyGap", name, field) for name, field in wanted]


def test_gaps_may_be_allowed() -> None:
    """As with NetworkPolicies, and none is one under another provider."""
    assert told(authorization("p", WEB), canary={"allowPolicyGap": True}) == []
    assert told(authorization("p", WEB), traffic={"nginx": {"ingress": "web"}}) == []


STRICT = [("StrictMutualTLS", "PeerAuthentication p", "spec.mtls.mode")]


@pytest.mark.parametrize(
    ("objects", "wanted"),
    [
        ([mutual("STRICT")], STRICT),
        ([mutual("STRICT", labels=NEXT)], STRICT),
        ([mutual("PERMISSIVE")], []),
        ([mutual("UNSET")], []),
        ([mutual("STRICT", namespace="istio-system")], STRICT),
        ([mutual("STRICT", namespace="istio-system"), mutual("PERMISSIVE", "q")], []),
        ([mutual("STRICT"), mutual("DISABLE", "q", NEXT)], []),
        ([mutual("STRICT", "p"), mutual("PERMISSIVE", "q")], STRICT),
    ],
)
def test_strict_mutual_tls(objects: list[Object], wanted: list[Brief]) -> None:
    """The narrowest policy that says a mode holds, of two alike the older one."""
    assert told(*objects, tests=TESTS) == wanted
    assert told(*objects, tests=[{**TESTS[0], "target": "gateway"}]) == []


def test_waypoints() -> None:
    """One on the Service or on the pods would send the tests to stable."""
    labelled = deployment(labels={"app": "web", "istio.io/use-waypoint": "front"})
    behind = service(own={"istio.io/use-waypoint": "front"})
    reasons = briefly(found(labelled, behind, traffic=ISTIO, tests=TESTS))
    assert [one[:2] for one in reasons] == [
        ("WaypointBetween", "Service web"),
        ("WaypointBetween", "Deployment web"),
    ]
    assert briefly(found(labelled, behind, traffic=ISTIO)) == []
