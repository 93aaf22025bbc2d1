"""Policies that cover stable's pods and would not cover the canary's.

A NetworkPolicy that selects stable alone leaves the canary open; one that names stable as a peer
shuts the canary out. Either way the canary is not tested under stable's conditions. NB: policies of
other namespaces that name stable as a peer are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import selects
from gatewaycanary.core.writes import Object

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
_DIRECTIONS: Final = (("ingress", "from"), ("egress", "to"))

Labels = Mapping[str, str]


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield the NetworkPolicies with a gap where the canary would be."""
    labels = scene.labels
    if labels is None or scene.spec.canary.allow_policy_gap:
        return
    policies = list(scene.listed("NetworkPolicy"))
    for policy in policies:
        for field in _gaps(policy, policies, *labels, namespace=scene.meta.namespace):
            yield _gap(f"NetworkPolicy {policy['metadata']['name']}", field)


def _gap(name: str, field: str) -> Problem:
    return Problem(
        reason="NetworkPolicyGap",
        object=name,
        field=field,
        message="it matches stable's pods and would not match the canary's; widen it, add one "
        "like it for the canary, or set spec.canary.allowPolicyGap",
    )


def _gaps(
    policy: Object, policies: list[Object], stable: Labels, canary: Labels, *, namespace: str
) -> Iterator[str]:
    selector = _pod_selector(policy)
    covered = selects(selector, canary) or any(_same_for(canary, one, policy) for one in policies)
    if selects(selector, stable) and not covered:
        yield "spec.podSelector"
    for direction, peers in _DIRECTIONS:
        rules = policy["spec"].get(direction) or ()
        for index, rule in enumerate(rules):
            alike = [one for one in rules if one.get("ports") == rule.get("ports")]
            named = _names(rule.get(peers), stable, namespace)
            if named and not any(_names(one.get(peers), canary, namespace) for one in alike):
                yield f"spec.{direction}[{index}].{peers}"


def _pod_selector(policy: Object) -> Object:
    selector: Object = policy["spec"].get("podSelector") or {}
    return selector


def _same_for(labels: Labels, other: Object, policy: Object) -> bool:
    return selects(_pod_selector(other), labels) and _rules(other) == _rules(policy)


def _rules(policy: Object) -> dict[str, object]:
    return {key: value for key, value in policy["spec"].items() if key != "podSelector"}


def _names(peers: list[Object] | None, labels: Labels, namespace: str) -> bool:
    """Tell whether pods of the namespace with these labels are among the peers."""
    return any(_is_peer(peer, labels, namespace) for peer in peers or ())


def _is_peer(peer: Object, labels: Labels, namespace: str) -> bool:
    if "ipBlock" in peer:
        return False
    # NB: of the namespace's own labels only its name is known; a selector by others is let pass.
    if "namespaceSelector" in peer and not selects(
        peer["namespaceSelector"], {NAMESPACE_LABEL: namespace}
    ):
        return False
    return "podSelector" not in peer or selects(peer["podSelector"], labels)


def warnings(scene: Scene) -> Iterator[Problem]:
    """Yield the disruption budgets and monitors that would leave the canary out."""
    labels = scene.labels
    if labels is None or scene.service is None:
        return
    for kind, reason, what in (
        ("PodDisruptionBudget", "DisruptionBudgetGap", "evictions of the canary are not bounded"),
        ("PodMonitor", "MonitorGap", "the canary is not scraped"),
    ):
        for obj in scene.listed(kind):
            selector = obj["spec"].get("selector")
            if selects(selector, labels[0]) and not selects(selector, labels[1]):
                yield _told(kind, obj, reason=reason, what=what)
    for monitor in scene.listed("ServiceMonitor"):
        # NB: the canary Service carries none of the stable Service's labels.
        of_stable = scene.service["metadata"].get("labels") or {}
        selector = monitor["spec"].get("selector")
        if selects(selector, of_stable) and not selects(selector, {}):
            yield _told(
                "ServiceMonitor", monitor, reason="MonitorGap", what="the canary is not scraped"
            )


def _told(kind: str, obj: Object, *, reason: str, what: str) -> Problem:
    return Problem(
        reason=reason,
        object=f"{kind} {obj['metadata']['name']}",
        field="spec.selector",
        message=f"it matches stable and would not match the canary: {what}",
    )
