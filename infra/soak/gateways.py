"""Gateways on fake nodes, many in one namespace, made without a chart."""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.kube.resources import DEPLOYMENT, INGRESS, SERVICE, Object, Resource
from proving.api import Api

TOLERANT = {
    "nodeSelector": {"type": "kwok"},
    "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
    "terminationGracePeriodSeconds": 0,
    "automountServiceAccountToken": False,
}
FIRST = "localhost/podinfo:1.0.0"


def create(api: Api, namespace: str, name: str) -> None:
    """Make a gateway: Deployment, Service and Ingress of one name."""
    for resource, spec in _parts(name):
        body = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": spec,
        }
        api.create(resource, body, namespace)


def delete(api: Api, namespace: str, name: str) -> None:
    """Take a gateway away."""
    for resource, _ in _parts(name):
        api.delete(resource, name, namespace, propagationPolicy="Background")


def _parts(name: str) -> Iterator[tuple[Resource, Object]]:
    labels = {"app": name}
    container = {"name": "gateway", "image": FIRST, "ports": [{"name": "http", "containerPort": 1}]}
    template = {"metadata": {"labels": labels}, "spec": {**TOLERANT, "containers": [container]}}
    yield DEPLOYMENT, {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    yield SERVICE, {"selector": labels, "ports": [{"name": "http", "port": 80}]}
    backend = {"service": {"name": name, "port": {"name": "http"}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": f"{name}.soak.test", "http": {"paths": paths}}]
    yield INGRESS, {"ingressClassName": "nginx", "rules": rules}
