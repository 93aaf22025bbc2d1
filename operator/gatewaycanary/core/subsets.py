"""The canary's label in a mesh with one host, where a DestinationRule tells the two sides apart.

The stable Service selects both sides there, and the two subsets are told by one label of the pods:
stable's pods carry the stable subset's value, the canary's are given the canary subset's. The
DestinationRule is the user's and is only checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gatewaycanary.api.traffic import Subsets
from gatewaycanary.core.lookups import Lookup, fields, items, service_of_host, token
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import CanaryLabel, pod_labels
from gatewaycanary.core.writes import Object

KIND = "DestinationRule"
USE = "spec.traffic.istio.subsets"


def label(
    deployment: Object, lookup: Lookup, *, service: str, subsets: Subsets, chosen: str | None
) -> CanaryLabel | Problem | None:
    """Find the label, or say what is missing; None while the kind is not installed."""
    if not lookup.installed(KIND):
        return None
    namespace = deployment["metadata"]["namespace"]
    found = {}
    for name in (subsets.stable, subsets.canary):
        one = _find(lookup, namespace, service=service, name=name)
        if isinstance(one, Problem):
            return one
        found[name] = one
    return _label(deployment, found[subsets.stable], found[subsets.canary], chosen=chosen)


class _Subset:
    """A subset and where it stands."""

    def __init__(self, rule: Object, index: int, raw: Object) -> None:
        self.object = f"{KIND} {rule['metadata']['name']}"
        self.field = f"spec.subsets[{index}].labels"
        self.name = raw.get("name")
        self.labels: Mapping[str, str] = fields(raw.get("labels"))

    def unfit(self, message: str) -> Problem:
        """Say what is wrong with its labels."""
        return Problem(
            reason="SubsetLabelUnfit", object=self.object, field=self.field, message=message
        )


def _find(lookup: Lookup, namespace: str, *, service: str, name: str) -> _Subset | Problem:
    rules = list(rules_of(lookup, namespace, service))
    for rule in rules:
        for index, raw in items(rule.get("spec"), "subsets"):
            if raw.get("name") == name:
                return _Subset(rule, index, raw)
    if not rules:
        return Problem(
            reason="DestinationRuleMissing",
            object=f"{KIND} for host {service}",
            message=f"there is none in this namespace, and {USE} takes stable and canary from one",
        )
    return Problem(
        reason="SubsetMissing",
        object=f"{KIND} {rules[0]['metadata']['name']}",
        field="spec.subsets",
        message=f"none is called {name}, as {USE} says",
    )


def rules_of(lookup: Lookup, namespace: str, service: str) -> Iterator[Object]:
    """Give the DestinationRules of the namespace whose host is this Service."""
    for rule in lookup.filed(KIND, namespace, token("Service", service)):
        if service_of_host(fields(rule.get("spec")).get("host"), namespace) == service:
            yield rule


def _label(
    deployment: Object, stable: _Subset, canary: _Subset, *, chosen: str | None
) -> CanaryLabel | Problem:
    pods = pod_labels(deployment)
    name = deployment["metadata"]["name"]
    wrong = [key for key, value in stable.labels.items() if pods.get(key) != value]
    if wrong:
        return stable.unfit(
            f"subset {stable.name} asks for {wrong[0]}: {stable.labels[wrong[0]]}, which the pods "
            f"of Deployment {name} do not carry",
        )
    matched = fields(deployment["spec"].get("selector", {}).get("matchLabels"))
    differing = [key for key, value in canary.labels.items() if pods.get(key) != value]
    if len(differing) != 1 or not {*differing} <= {*stable.labels} & {*matched}:
        return canary.unfit(
            f"subsets {stable.name} and {canary.name} must differ in one label that stands in both "
            f"and in spec.selector.matchLabels of Deployment {name}; {canary.name} differs from "
            f"stable's pods in: {', '.join(differing) or 'none'}",
        )
    key = differing[0]
    if chosen is not None and chosen != key:
        return canary.unfit(
            f"the subsets differ in {key}, and spec.canary.selectorLabel says {chosen}",
        )
    return CanaryLabel(key=key, stable=pods[key], canary=canary.labels[key])
