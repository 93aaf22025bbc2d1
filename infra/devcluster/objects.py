"""What every cluster of ours holds before anybody uses it.

The name service runs on the host, so its Service has no selector and its
endpoints are written by hand. Each host program gets the reads that it needs
and no more.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from devcluster.settings import DNS_IP, DNS_PORT, INGRESS_CLASS, INGRESS_CONTROLLER, NODE_IP

Object = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io/v1"
_READ = ("get", "list", "watch")


def rule(group: str, resources: Iterable[str], verbs: Iterable[str] = _READ) -> Object:
    """Allow verbs on resources; without verbs, to read them."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def namespace(name: str) -> Object:
    """Describe a namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def grant(user: str, rules: Sequence[Object]) -> list[Object]:
    """Let a host program's user do what the rules say."""
    name = f"devcluster:{user}"
    role = {"apiVersion": _RBAC, "kind": "ClusterRole", "metadata": {"name": name}}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    binding = {**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]}
    return [{**role, "rules": list(rules)}, binding]


TRAEFIK_RULES = [
    rule("", ["services", "endpoints", "secrets", "configmaps", "namespaces", "nodes", "pods"]),
    rule("discovery.k8s.io", ["endpointslices"]),
    rule("networking.k8s.io", ["ingresses", "ingressclasses"]),
    rule("networking.k8s.io", ["ingresses/status"], ["update", "patch"]),
]

_COREDNS_RULES = [
    rule("", ["services", "endpoints", "namespaces", "nodes", "pods"]),
    rule("discovery.k8s.io", ["endpointslices"]),
]


def ingress_class() -> Object:
    """Describe the class that the data plane serves."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": INGRESS_CLASS},
        "spec": {"controller": INGRESS_CONTROLLER},
    }


def _dns_service() -> Object:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": DNS_PORT},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": DNS_PORT},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"clusterIP": DNS_IP, "ports": ports},
    }


def _dns_endpoints() -> Object:
    labels = {
        "kubernetes.io/service-name": "kube-dns",
        "endpointslice.kubernetes.io/managed-by": "devcluster",
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "kube-dns-host", "namespace": "kube-system", "labels": labels},
        "addressType": "IPv4",
        "ports": [
            {"name": "dns", "port": DNS_PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "port": DNS_PORT, "protocol": "TCP"},
        ],
        "endpoints": [{"addresses": [NODE_IP], "conditions": {"ready": True}}],
    }


def base() -> list[Object]:
    """List the objects in the order in which they are written."""
    return [
        *grant("coredns", _COREDNS_RULES),
        *grant("traefik", TRAEFIK_RULES),
        ingress_class(),
        _dns_service(),
        _dns_endpoints(),
    ]
