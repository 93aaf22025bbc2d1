"""What a mesh adds: its policies, mutual TLS, waypoints.

A policy that selects stable's pods and would not select the canary's leaves the canary under other
conditions than it is tested for. Tests that are aimed at the canary run without a sidecar, for one
would route by Host to stable; where the mesh insists on its own TLS they could reach nothing. NB: a
waypoint that is set on the namespace is not seen, namespaces are not watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.lookups import fields, items, service_of_host
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import pod_labels
from gatewaycanary.core.writes import Object

ROOT_NAMESPACE: Final = "istio-system"
WAYPOINT: Final = "istio.io/use-waypoint"
STRICT: Final = "STRICT"

_SELECTORS: Final = (
    ("AuthorizationPolicy", "selector", "matchLabels"),
    ("PeerAuthentication", "selector", "matchLabels"),
    ("Sidecar", "workloadSelector", "labels"),
)


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield the gaps in the mesh's policies, and what keeps tests from the canary."""
    if scene.spec.traffic.istio is None:
        return
    if not scene.spec.canary.allow_policy_gap:
        yield from _gaps(scene)
        yield from _unreachable(scene)
    if any(suite.target == "canary" for suite in scene.spec.tests):
        yield from _strict(scene)
        yield from _waypoints(scene)


def _gaps(scene: Scene) -> Iterator[Problem]:
    if scene.labels is None:
        return
    stable, canary = scene.labels
    for kind, field, labels in _SELECTORS:
        policies = [one for one in scene.listed(kind) if _selector(one, field, labels)]
        for policy in policies:
            selector = _selector(policy, field, labels)
            alike = (one for one in policies if _rest(one, field) == _rest(policy, field))
            covered = any(_has(canary, _selector(one, field, labels)) for one in alike)
            if _has(stable, selector) and not covered:
                yield _gap(
                    f"{kind} {policy['metadata']['name']}",
                    f"spec.{field}.{labels}",
                    "it selects stable's pods and would not select the canary's",
                )


def _gap(name: str, field: str, message: str) -> Problem:
    return Problem(
        reason="MeshPolicyGap",
        object=name,
        field=field,
        message=f"{message}; widen it, add one like it for the canary, or set "
        "spec.canary.allowPolicyGap",
    )


def _selector(policy: Object, field: str, labels: str) -> Mapping[str, Any]:
    return fields(fields(fields(policy.get("spec")).get(field)).get(labels))


def _rest(policy: Object, field: str) -> dict[str, Any]:
    return {key: value for key, value in fields(policy.get("spec")).items() if key != field}


def _has(labels: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _unreachable(scene: Scene) -> Iterator[Problem]:
    """Yield the Sidecars that let clients reach stable's host by its name, and not the canary's."""
    stable, canary = scene.spec.resolved_stable_service, scene.spec.resolved_canary_service
    if scene.spec.traffic.subsets is not None:
        return
    for sidecar in scene.listed("Sidecar"):
        for index, egress in items(sidecar.get("spec"), "egress"):
            found = egress.get("hosts")
            hosts = [str(one).partition("/") for one in found] if isinstance(found, list) else []
            if any(_all(space, host, scene) for space, _, host in hosts):
                continue
            named = {service_of_host(host, scene.meta.namespace) for _, _, host in hosts}
            if stable in named and canary not in named:
                yield _gap(
                    f"Sidecar {sidecar['metadata']['name']}",
                    f"spec.egress[{index}].hosts",
                    f"it lets clients reach {stable} and would not let them reach {canary}",
                )


def _all(space: str, host: str, scene: Scene) -> bool:
    return host == "*" and space in ("*", ".", scene.meta.namespace)


def _strict(scene: Scene) -> Iterator[Problem]:
    if scene.labels is None:
        return
    policy = _in_force(scene, scene.labels[1])
    if policy is not None and _mode(policy) == STRICT:
        yield Problem(
            reason="StrictMutualTLS",
            object=f"PeerAuthentication {policy['metadata']['name']}",
            field="spec.mtls.mode",
            message="the canary would refuse tests that come without the mesh's TLS, and through a "
            "sidecar they would reach stable; let spec.tests target the gateway, or make it "
            "PERMISSIVE",
        )


def _in_force(scene: Scene, labels: Mapping[str, str]) -> Object | None:
    """Find the narrowest policy that says a mode; of two alike the older one holds."""
    here = [one for one in scene.listed("PeerAuthentication") if _mode(one)]
    root = scene.lookup.list("PeerAuthentication", ROOT_NAMESPACE)
    chosen = [(one, _selector(one, "selector", "matchLabels")) for one in here]
    narrowing = (
        [one for one, selector in chosen if selector and _has(labels, selector)],
        [one for one, selector in chosen if not selector],
        [one for one in root if _mode(one) and not _selector(one, "selector", "matchLabels")],
    )
    narrowest = next((found for found in narrowing if found), [])
    return min(narrowest, key=_age, default=None)


def _age(policy: Object) -> str:
    return str(policy["metadata"].get("creationTimestamp", ""))


def _mode(policy: Object) -> str:
    mode = fields(fields(policy.get("spec")).get("mtls")).get("mode")
    return mode if isinstance(mode, str) and mode != "UNSET" else ""


def _waypoints(scene: Scene) -> Iterator[Problem]:
    service, deployment = scene.service, scene.deployment
    found = (
        ("Service", service, fields((service or {}).get("metadata", {}).get("labels"))),
        ("Deployment", deployment, pod_labels(deployment) if deployment is not None else {}),
    )
    for kind, obj, labels in found:
        if obj is not None and labels.get(WAYPOINT, "none") != "none":
            yield Problem(
                reason="WaypointBetween",
                object=f"{kind} {obj['metadata']['name']}",
                field=f"metadata.labels[{WAYPOINT}]",
                message="a waypoint would route tests that are aimed at the canary to stable; let "
                "spec.tests target the gateway",
            )
