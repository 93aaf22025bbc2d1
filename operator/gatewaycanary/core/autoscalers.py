"""The target's HorizontalPodAutoscaler: held from scaling down while stable's traffic goes away.

Held by ``spec.behavior.scaleDown.selectPolicy: Disabled`` alone, and given back as it was. NB: the
API server fills in a whole ``behavior`` as soon as one field of it is set, so where there was none
the filled-in one is taken away too, unless somebody has written into it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gatewaycanary.core.observation import Autoscaler
from gatewaycanary.core.writes import JsonPatch, Object, Operation, pointer

DISABLED: Final = "Disabled"
_POLICY: Final = pointer("spec", "behavior", "scaleDown", "selectPolicy")
_DOUBLE: Final = {"type": "Percent", "value": 100, "periodSeconds": 15}
_FILLED_IN: Final[dict[str, Any]] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, _DOUBLE],
    },
    "scaleDown": {"selectPolicy": DISABLED, "policies": [_DOUBLE]},
}


def targets(autoscaler: Object, deployment: str) -> bool:
    """Tell whether the autoscaler scales this Deployment."""
    target = autoscaler.get("spec", {}).get("scaleTargetRef", {})
    group = str(target.get("apiVersion", "apps/v1")).partition("/")[0]
    return (group, target.get("kind"), target.get("name")) == ("apps", "Deployment", deployment)


def find(autoscalers: Iterable[Object], deployment: str) -> Object | None:
    """Find the autoscaler of this Deployment; the first by name where there are several."""
    found = [one for one in autoscalers if targets(one, deployment)]
    return min(found, key=lambda one: str(one["metadata"]["name"]), default=None)


def autoscaler_view(autoscaler: Object) -> Autoscaler:
    """Read the autoscaler."""
    policy = _scale_down(autoscaler).get("selectPolicy")
    return Autoscaler(
        name=autoscaler["metadata"]["name"], held=policy == DISABLED, select_policy=policy
    )


def hold_patch(autoscaler: Object) -> JsonPatch | None:
    """Build the write that keeps it from scaling down."""
    behavior = autoscaler["spec"].get("behavior")
    if _scale_down(autoscaler).get("selectPolicy") == DISABLED:
        return None
    held = {"selectPolicy": DISABLED}
    if not behavior:
        operation = {"op": "add", "path": "/spec/behavior", "value": {"scaleDown": held}}
    elif not behavior.get("scaleDown"):
        operation = {"op": "add", "path": "/spec/behavior/scaleDown", "value": held}
    else:
        operation = {"op": "add", "path": _POLICY, "value": DISABLED}
    return _patch(autoscaler, operation)


def release_patch(autoscaler: Object, *, original: str | None) -> JsonPatch | None:
    """Build the write that gives its own policy back; None where it is no longer held.

    ``original`` is the policy found before it was held; None where there was no ``behavior``.
    """
    if original == DISABLED or _scale_down(autoscaler).get("selectPolicy") != DISABLED:
        return None
    if original is not None:
        return _patch(autoscaler, {"op": "replace", "path": _POLICY, "value": original})
    if _plain(autoscaler["spec"]["behavior"]) == _FILLED_IN:
        return _patch(autoscaler, {"op": "remove", "path": "/spec/behavior"})
    return _patch(autoscaler, {"op": "remove", "path": _POLICY})


def _plain(behavior: Object) -> dict[str, Any]:
    return {
        direction: {key: value for key, value in rules.items() if value is not None}
        for direction, rules in behavior.items()
        if rules
    }


def _scale_down(autoscaler: Object) -> Object:
    behavior = autoscaler.get("spec", {}).get("behavior") or {}
    scale_down: Object = behavior.get("scaleDown") or {}
    return scale_down


def _patch(autoscaler: Object, operation: Operation) -> JsonPatch:
    metadata = autoscaler["metadata"]
    return JsonPatch(
        api_version="autoscaling/v2",
        kind="HorizontalPodAutoscaler",
        namespace=metadata["namespace"],
        name=metadata["name"],
        operations=(
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": metadata["resourceVersion"],
            },
            operation,
        ),
    )
