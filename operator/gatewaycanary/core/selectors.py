"""Label selectors, and how the canary's pods come to differ from stable's in one label.

The canary's label must stand, with one value, in both the Deployment's ``matchLabels`` and the
stable Service's selector: whatever selects stable through it then leaves the canary out. NB: the
two kinds of selectors differ when empty: a Service without a selector selects nothing, an empty
LabelSelector selects everything, an absent one nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatewaycanary.core.naming import digest
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object

KNOWN_LABELS: Final = ("track", "app.kubernetes.io/name", "app")
SUFFIX: Final = "-canary"
LONGEST_VALUE: Final = 63

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryLabel:
    """The label that tells the canary's pods (``canary``) from stable's (``stable``)."""

    key: str
    stable: str
    canary: str


def service_selects(selector: Labels | None, labels: Labels) -> bool:
    """Tell whether a Service's selector matches; without one it selects nothing."""
    return bool(selector) and _has_all(selector or {}, labels)


def selects(selector: Object | None, labels: Labels) -> bool:
    """Tell whether a LabelSelector matches; an empty one matches all, an absent one nothing."""
    if selector is None:
        return False
    expressions = selector.get("matchExpressions") or ()
    return _has_all(selector.get("matchLabels") or {}, labels) and all(
        _holds(expression, labels) for expression in expressions
    )


def _has_all(wanted: Labels, labels: Labels) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _holds(expression: Object, labels: Labels) -> bool:
    key = expression.get("key", "")
    values = expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False


def pod_labels(deployment: Object) -> dict[str, str]:
    """Give the labels of a Deployment's pods."""
    template = deployment.get("spec", {}).get("template", {})
    return dict(template.get("metadata", {}).get("labels") or {})


def canary_label(
    deployment: Object, stable_service: Object, *, chosen: str | None = None
) -> CanaryLabel | Problem:
    """Find the selector label to change, or say what is missing."""
    matched: Labels = deployment["spec"].get("selector", {}).get("matchLabels") or {}
    selected: Labels = stable_service.get("spec", {}).get("selector") or {}
    shared = {key: value for key, value in matched.items() if selected.get(key) == value}
    for key in (chosen,) if chosen else KNOWN_LABELS:
        if key in shared:
            return CanaryLabel(key=key, stable=shared[key], canary=canary_value(shared[key]))
    return _missing(deployment, stable_service, chosen=chosen, shared=shared)


def _missing(
    deployment: Object, stable_service: Object, *, chosen: str | None, shared: Labels
) -> Problem:
    name = deployment["metadata"]["name"]
    service = stable_service["metadata"]["name"]
    wanted = chosen or f"none of {', '.join(KNOWN_LABELS)}"
    verb = "stands" if chosen is None else "does not stand"
    advice = (
        f"set spec.canary.selectorLabel to one of: {', '.join(sorted(shared))}"
        if shared
        else f"give both one label in common, such as {KNOWN_LABELS[-1]}"
    )
    return Problem(
        reason="SelectorLabelMissing",
        object=f"Deployment {name}",
        field="spec.selector.matchLabels",
        message=f"{wanted} {verb} both here and in the selector of Service {service}, so the "
        f"canary's pods could not be told from stable's; {advice}",
    )


def canary_value(value: str) -> str:
    """Give the canary's value for a label: valid, at most 63 characters, never the same."""
    if not value:
        return SUFFIX[1:]
    if len(value) + len(SUFFIX) <= LONGEST_VALUE:
        return value + SUFFIX
    key = digest(value)
    return f"{value[: LONGEST_VALUE - len(SUFFIX) - len(key) - 1]}-{key}{SUFFIX}"


def rewritten(node: Any, label: CanaryLabel) -> Any:
    """Copy a pod template or selector with every label selector in it aimed at the canary.

    Selectors are found by their shape (``matchLabels``, ``matchExpressions``), so that affinity,
    anti-affinity and spread constraints are covered at any depth. The rest is copied as it is.
    """
    if isinstance(node, Mapping):
        return {key: _rewritten_field(key, value, label) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [rewritten(item, label) for item in node]
    return node


def _rewritten_field(key: str, value: Any, label: CanaryLabel) -> Any:
    if key == "matchLabels" and isinstance(value, Mapping):
        return relabelled(value, label)
    if key == "matchExpressions" and isinstance(value, list | tuple):
        return [_rewritten_expression(expression, label) for expression in value]
    return rewritten(value, label)


def relabelled(labels: Labels, label: CanaryLabel) -> dict[str, str]:
    """Copy labels with stable's value of the label replaced by the canary's."""
    changed = dict(labels)
    if changed.get(label.key) == label.stable:
        changed[label.key] = label.canary
    return changed


def canary_selector(selector: Labels, label: CanaryLabel) -> dict[str, str]:
    """Give the selector of the canary Service, made of the stable Service's.

    NB: in a mesh with one host stable's selects both sides, and lacks the label.
    """
    return {**selector, label.key: label.canary}


def _rewritten_expression(expression: Object, label: CanaryLabel) -> dict[str, Any]:
    changed = dict(expression)
    if expression.get("key") == label.key and expression.get("values"):
        changed["values"] = [
            label.canary if value == label.stable else value for value in expression["values"]
        ]
    return changed
