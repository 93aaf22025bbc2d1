"""The stable Service: can traffic be split behind it, and does nothing else catch the canary."""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.lookups import label_token, services_selecting
from gatewaycanary.core.manifests import is_ours
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import (
    CanaryLabel,
    canary_selector,
    pod_labels,
    relabelled,
    rewritten,
    selects,
    service_selects,
)
from gatewaycanary.core.writes import Object


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield what is wrong with the stable Service."""
    service = scene.service
    name = f"Service {scene.spec.resolved_stable_service}"
    if service is None:
        yield Problem(
            reason="ServiceMissing",
            object=name,
            message="there is no such Service in this namespace; set spec.service.stable to the "
            "one that selects the target's pods",
        )
        return
    unfit = _unfit(service, name)
    if unfit is not None:
        yield unfit
    elif scene.deployment is not None:
        yield from _towards(scene, scene.deployment, service, name)


def _unfit(service: Object, name: str) -> Problem | None:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return Problem(
            reason="ServiceExternalName",
            object=name,
            field="spec.type",
            message="an ExternalName has no pods to share traffic with; name a Service that "
            "selects the target's pods in spec.service.stable",
        )
    if spec.get("clusterIP") == "None":
        return Problem(
            reason="ServiceHeadless",
            object=name,
            field="spec.clusterIP",
            message="a headless Service lets clients pick pods themselves; name one with a "
            "ClusterIP in spec.service.stable",
        )
    if not spec.get("selector"):
        return Problem(
            reason="ServiceWithoutSelector",
            object=name,
            field="spec.selector",
            message="it selects no pods, so no canary Service can be made like it",
        )
    return None


def _towards(scene: Scene, deployment: Object, service: Object, name: str) -> Iterator[Problem]:
    if not service_selects(service["spec"]["selector"], pod_labels(deployment)):
        yield Problem(
            reason="ServiceSelectsOthers",
            object=name,
            field="spec.selector",
            message=f"it does not select the pods of Deployment {deployment['metadata']['name']}; "
            "name the Service that does in spec.service.stable",
        )
    elif isinstance(scene.label, Problem):
        yield scene.label
    elif scene.spec.traffic.subsets and scene.label and _selects_by(service, scene.label.key):
        yield Problem(
            reason="ServiceExcludesCanary",
            object=name,
            field=f"spec.selector[{scene.label.key}]",
            message="the Service of a mesh with one host must select stable and canary alike; take "
            "the label by which the subsets differ out of its selector",
        )
    elif scene.label is not None:
        yield from _unfit_label(scene, deployment, service, scene.label)


def _selects_by(service: Object, key: str) -> bool:
    return key in service["spec"]["selector"]


def _unfit_label(
    scene: Scene, deployment: Object, service: Object, label: CanaryLabel
) -> Iterator[Problem]:
    labels = relabelled(pod_labels(deployment), label)
    if not selects(rewritten(deployment["spec"]["selector"], label), labels):
        yield Problem(
            reason="SelectorExcludesCanary",
            object=f"Deployment {deployment['metadata']['name']}",
            field="spec.selector.matchExpressions",
            message=f"they leave no room for pods with {label.key}: {label.canary}; set "
            "spec.canary.selectorLabel to another label",
        )
    # NB: another canary in the namespace may well carry the same label, such as track, and is told
    # apart by the rest of the selector.
    wanted = canary_selector(service["spec"]["selector"], label)
    filed = label_token(label.key, label.canary)
    for other in scene.lookup.filed("Deployment", scene.meta.namespace, filed):
        if not is_ours(other, scene.meta.uid) and service_selects(wanted, pod_labels(other)):
            yield Problem(
                reason="CanaryLabelTaken",
                object=f"Deployment {other['metadata']['name']}",
                field="spec.template.metadata.labels",
                message=f"its pods carry {label.key}: {label.canary}, by which the canary Service "
                "is to select the canary's; change that label",
            )


def catching(scene: Scene) -> Iterator[Problem]:
    """Yield the Services of others that select stable and would match the canary as well."""
    labels = scene.labels
    if labels is None:
        return
    stable, canary = labels
    for service in services_selecting(scene.lookup, scene.meta.namespace, canary):
        of_both = service["metadata"]["name"] == scene.spec.resolved_stable_service
        if is_ours(service, scene.meta.uid) or (of_both and scene.spec.traffic.subsets):
            continue
        if not service_selects(service["spec"]["selector"], stable):
            continue
        yield Problem(
            reason="ServiceCatchesCanary",
            object=f"Service {service['metadata']['name']}",
            field="spec.selector",
            message="it selects stable's pods and would send requests to the canary's too, past "
            f"every weight; add the label {_key(scene)} to its selector",
        )


def _key(scene: Scene) -> str:
    label = scene.label
    return "" if label is None or isinstance(label, Problem) else f"{label.key}: {label.stable}"
