"""Raw objects as the API server gives them, with room for the one field that a test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.documents import Documents
from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.core.observation import Meta
from gatewaycanary.core.writes import Object

NAMESPACE = "shop"
UID = "0f0e"
OWN = {"canary.soma.dev/owner-uid": UID}
LABELS = {"app": "web", "tier": "front"}


def container(name: str = "web", image: str = "shop/web:1", **fields: Any) -> dict[str, Any]:
    """Write a container."""
    return {"name": name, "image": image, **fields}


def deployment(
    name: str = "web",
    *,
    labels: Mapping[str, str] = LABELS,
    matched: Mapping[str, str] | None = None,
    containers: Sequence[Object] = (),
    replicas: int | None = 3,
    pod: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Write a Deployment; ``spec`` are further fields of its spec."""
    selector = {"matchLabels": dict(labels if matched is None else matched)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-of-{name}",
            "generation": 4,
            "labels": dict(own or {"app.kubernetes.io/managed-by": "Helm"}),
            "annotations": {"meta.helm.sh/release-name": "shop"},
        },
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "selector": selector,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
            },
            "progressDeadlineSeconds": 600,
            "template": {
                "metadata": {
                    "labels": dict(labels),
                    **({"annotations": dict(annotations)} if annotations else {}),
                },
                "spec": {"containers": list(containers or (container(),)), **(pod or {})},
            },
            **spec,
        },
        "status": dict(status or {}),
    }


def service(
    name: str = "web",
    *,
    selector: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Write a Service; ``spec`` are further fields of its spec."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": dict(own or {"app": "web"})},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.0.0.7",
            "clusterIPs": ["10.0.0.7"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "selector": dict({"app": "web"} if selector is None else selector),
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}],
            **spec,
        },
    }


def canary(
    name: str = "web",
    *,
    uid: str = UID,
    created: str = "2026-01-01T00:00:00Z",
    target: str = "web",
    **spec: Any,
) -> dict[str, Any]:
    """Write a GatewayCanary; ``spec`` are further fields of its spec."""
    return {
        "apiVersion": "canary.soma.dev/v1alpha1",
        "kind": "GatewayCanary",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid,
            "creationTimestamp": created,
        },
        "spec": {
            "targetRef": {"name": target},
            "image": "shop/web:2",
            "traffic": {"nginx": {"ingress": "web"}},
            **spec,
        },
    }


def parsed(obj: Object) -> tuple[Meta, GatewayCanarySpec]:
    """Read a GatewayCanary."""
    metadata = obj["metadata"]
    meta = Meta(
        uid=metadata["uid"], namespace=metadata["namespace"], name=metadata["name"], generation=1
    )
    return meta, parse(obj["spec"])


def selecting(kind: str, name: str, selector: Object, **fields: Any) -> dict[str, Any]:
    """Write an object whose spec has a selector: a PodDisruptionBudget or a monitor."""
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": dict(selector), **fields},
    }


def policy(name: str, selector: Object, **spec: Any) -> dict[str, Any]:
    """Write a NetworkPolicy."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"podSelector": dict(selector), **spec},
    }


def cache(*objects: Object) -> Documents:
    """Give a lookup of these objects."""
    return Documents(objects)
