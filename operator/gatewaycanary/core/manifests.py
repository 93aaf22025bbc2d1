"""The canary's Deployment and Service, made of stable's as found.

The canary is stable's pod template, pinned, with the new image and one selector label changed. It
carries labels with the GatewayCanary's uid and no ownerReference: a foreground deletion would take
pods away while traffic still flows to them. Labels and annotations of stable's own objects are not
copied: tools track ownership by them and would prune, or adopt, what is not theirs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from gatewaycanary.core.containers import container_index, containers
from gatewaycanary.core.naming import (
    CANARY_LABEL,
    OWNER_LABEL,
    REVISION_LABEL,
    canary_name,
    digest,
)
from gatewaycanary.core.observation import CanaryWorkload, Problem, Target
from gatewaycanary.core.selectors import CanaryLabel, canary_selector, relabelled, rewritten
from gatewaycanary.core.writes import JsonPatch, Object, Operation, pointer

RESTART_ANNOTATION: Final = "restartedAt"
_PORT_FIELDS: Final = ("name", "port", "protocol", "targetPort", "appProtocol")
_FAMILY_FIELDS: Final = ("ipFamilies", "ipFamilyPolicy")
_ROLLOUT_FIELDS: Final = ("minReadySeconds", "progressDeadlineSeconds")


def is_ours(obj: Object, uid: str) -> bool:
    """Tell whether the object belongs to the GatewayCanary of this uid."""
    labels = obj.get("metadata", {}).get("labels") or {}
    return bool(uid) and labels.get(OWNER_LABEL) == uid


def owner_labels(*, uid: str, canary: str, revision: str) -> dict[str, str]:
    """Give the labels that make an object ours."""
    return {OWNER_LABEL: uid, CANARY_LABEL: canary[:63].rstrip("-._"), REVISION_LABEL: revision}


def stable_image(deployment: Object, container: str | None) -> str:
    """Give the image of the released container; empty where there is no such container."""
    index = container_index(deployment, container)
    if isinstance(index, Problem):
        return ""
    return str(containers(deployment)[index].get("image", ""))


def template_hash(deployment: Object, *, container: str | None, image: str = "") -> str:
    """Hash the pod template with this image in the released container; restarts are left out.

    Both sides of a comparison come from the API server, so defaults need no care.
    """
    template = _template_with_image(deployment, container=container, image=image)
    metadata = template.get("metadata", {})
    annotations = metadata.get("annotations") or {}
    kept = {
        key: value
        for key, value in annotations.items()
        if key.rpartition("/")[2] != RESTART_ANNOTATION
    }
    plain = {**template, "metadata": {**metadata, "annotations": kept}}
    return digest(json.dumps(_without_empty(plain), sort_keys=True))


def _without_empty(node: Any) -> Any:
    if isinstance(node, Mapping):
        kept = {key: _without_empty(value) for key, value in node.items()}
        return {key: value for key, value in kept.items() if value not in (None, {}, [])}
    if isinstance(node, list | tuple):
        return [_without_empty(item) for item in node]
    return node


def target_view(deployment: Object, *, container: str | None) -> Target:
    """Read the stable Deployment; the image is empty where the container is not there."""
    replicas = _replicas(deployment)
    return Target(
        image=stable_image(deployment, container),
        template_hash=template_hash(deployment, container=container),
        replicas=replicas,
        generation=int(deployment["metadata"].get("generation", 0)),
        rolled_out=_rolled_out(deployment, replicas=replicas),
    )


def _replicas(deployment: Object) -> int:
    replicas = deployment["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def _rolled_out(deployment: Object, *, replicas: int) -> bool:
    status = deployment.get("status") or {}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    updated = status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    return bool(seen and updated == replicas == status.get("replicas", 0) and available >= replicas)


def canary_view(deployment: Object, *, uid: str) -> CanaryWorkload | None:
    """Read our Deployment; None where it is not ours."""
    if not is_ours(deployment, uid):
        return None
    metadata = deployment["metadata"]
    return CanaryWorkload(
        revision=metadata["labels"].get(REVISION_LABEL, ""),
        replicas=_replicas(deployment),
        deleting=metadata.get("deletionTimestamp") is not None,
    )


def canary_deployment(
    deployment: Object,
    *,
    label: CanaryLabel,
    container: str | None,
    uid: str,
    canary: str,
    revision: str,
    image: str,
    replicas: int,
) -> dict[str, Any]:
    """Build the canary Deployment from stable's."""
    ours = owner_labels(uid=uid, canary=canary, revision=revision)
    stable = deployment["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": canary_name(deployment["metadata"]["name"]),
            "namespace": deployment["metadata"]["namespace"],
            "labels": ours,
        },
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 0,
            "strategy": {"type": "RollingUpdate"},
            "selector": rewritten(stable["selector"], label),
            "template": _canary_template(
                _template_with_image(deployment, container=container, image=image),
                label=label,
                ours=ours,
            ),
            **{field: stable[field] for field in _ROLLOUT_FIELDS if field in stable},
        },
    }


def _template_with_image(
    deployment: Object, *, container: str | None, image: str
) -> dict[str, Any]:
    template = deployment["spec"]["template"]
    index = container_index(deployment, container)
    pods = [
        {**one, "image": image} if position == index else one
        for position, one in enumerate(containers(deployment))
    ]
    return {**template, "spec": {**template["spec"], "containers": pods}}


def _canary_template(
    template: Object, *, label: CanaryLabel, ours: Mapping[str, str]
) -> dict[str, Any]:
    metadata = template.get("metadata", {})
    labels = {**relabelled(metadata.get("labels") or {}, label), **ours}
    pinned: dict[str, Any] = {"labels": labels}
    if metadata.get("annotations"):
        pinned["annotations"] = dict(metadata["annotations"])
    return {"metadata": pinned, "spec": rewritten(template["spec"], label)}


def canary_service(
    stable_service: Object,
    *,
    name: str,
    label: CanaryLabel,
    uid: str,
    canary: str,
    revision: str,
) -> dict[str, Any]:
    """Build the canary Service from stable's: its ports and IP families, none of its addresses."""
    stable = stable_service["spec"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": stable_service["metadata"]["namespace"],
            "labels": owner_labels(uid=uid, canary=canary, revision=revision),
        },
        "spec": {
            "type": "ClusterIP",
            # NB: pods of an earlier rollout may still be there, and answer for another image.
            "selector": {**canary_selector(stable["selector"], label), REVISION_LABEL: revision},
            "ports": [
                {field: port[field] for field in _PORT_FIELDS if field in port}
                for port in stable.get("ports") or ()
            ],
            **{field: stable[field] for field in _FAMILY_FIELDS if field in stable},
        },
    }


def set_image_patch(
    deployment: Object, *, container: str | None, image: str
) -> JsonPatch | Problem | None:
    """Build the write of one field of stable, good only for the image that was seen there."""
    index = container_index(deployment, container)
    if isinstance(index, Problem):
        return index
    found = containers(deployment)[index]
    if found.get("image") == image:
        return None
    spot = ("spec", "template", "spec", "containers", index)
    return _deployment_patch(
        deployment,
        {"op": "test", "path": pointer(*spot, "name"), "value": found["name"]},
        {"op": "test", "path": pointer(*spot, "image"), "value": found.get("image", "")},
        {"op": "replace", "path": pointer(*spot, "image"), "value": image},
    )


def scale_patch(deployment: Object, *, uid: str, replicas: int) -> JsonPatch | None:
    """Build the write that gives our Deployment its replicas."""
    if _replicas(deployment) == replicas:
        return None
    owner = pointer("metadata", "labels", OWNER_LABEL)
    return _deployment_patch(
        deployment,
        {"op": "test", "path": owner, "value": uid},
        {"op": "add", "path": "/spec/replicas", "value": replicas},
    )


def _deployment_patch(deployment: Object, *operations: Operation) -> JsonPatch:
    return JsonPatch(
        api_version="apps/v1",
        kind="Deployment",
        namespace=deployment["metadata"]["namespace"],
        name=deployment["metadata"]["name"],
        operations=operations,
    )
