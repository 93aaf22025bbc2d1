"""Istio's control plane, and an Envoy that it configures as its ingress gateway.

Both run on the host. Envoy introduces itself as the gateway of istio-system,
and Istio needs no pod to believe it: the labels that Gateways select by come
from the proxy's own metadata. A VirtualService of any namespace names the
Gateway istio-system/gateway to be served.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster import objects, probes
from devcluster.addons import Addon, Builds
from devcluster.flags import Invocation
from devcluster.layout import Layout
from devcluster.recipes import ENVOY_BUILD, ISTIO_BUILD
from devcluster.settings import (
    CLUSTER_DOMAIN,
    ENVOY,
    ENVOY_ADMIN_PORT,
    ISTIO,
    ISTIO_GATEWAY_PORT,
    ISTIO_GATEWAY_URL,
    ISTIOD_CTRLZ_PORT,
    ISTIOD_GRPC_PORT,
    ISTIOD_HTTP_PORT,
    ISTIOD_MONITORING_PORT,
)

NAME = "istio"
NAMESPACE = "istio-system"
GATEWAY = "gateway"

_LOOPBACK = "127.0.0.1"
_LABELS = {"istio": "ingressgateway"}
_DISCOVERY = "istiod"

# One istiod, one proxy without a sidecar's certificates, and no pods to inject into.
_ENVIRONMENT = {
    "POD_NAME": _DISCOVERY,
    "POD_NAMESPACE": NAMESPACE,
    "CLUSTER_ID": "Kubernetes",
    "ENABLE_CA_SERVER": "false",
    "ENABLE_LEADER_ELECTION": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_GATEWAY_API": "false",
    "PILOT_ENABLE_IP_AUTOALLOCATE": "false",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    # The default gathers changes for 100 ms, which would be most of a weight's way to Envoy.
    "PILOT_DEBOUNCE_AFTER": "10ms",
    "PILOT_DEBOUNCE_MAX": "100ms",
}


def _definitions(layout: Layout) -> Path:
    return layout.etc / "istio-definitions.yaml"


def _mesh(layout: Layout) -> Path:
    return layout.etc / "istio-mesh.yaml"


def _bootstrap(layout: Layout) -> Path:
    return layout.etc / "envoy.json"


def _links(layout: Layout, built: Builds) -> Mapping[Path, Path]:
    istio, envoy = built[ISTIO_BUILD.name], built[ENVOY_BUILD.name]
    return {
        layout.bin / _DISCOVERY: istio / "pilot-discovery",
        layout.bin / "envoy": envoy / "envoy",
        _definitions(layout): istio / "definitions.yaml",
    }


def _files(layout: Layout) -> Mapping[Path, str]:
    mesh = {"enableAutoMtls": False, "ingressControllerMode": "OFF"}
    return {
        _mesh(layout): json.dumps(mesh, indent=2) + "\n",
        _bootstrap(layout): json.dumps(bootstrap(), indent=2) + "\n",
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": _LOOPBACK, "port_value": port}}


def _discovery_cluster() -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(ISTIOD_GRPC_PORT)}}
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": _DISCOVERY,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": _DISCOVERY,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "typed_extension_protocol_options": {
            protocol: {
                "@type": f"type.googleapis.com/{protocol}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }


def bootstrap() -> dict[str, Any]:
    """Describe what Envoy knows before it asks istiod: who it is and whom to ask."""
    # Both start side by side: Envoy asks again soon, and is not ready before it was answered.
    backoff = {"base_interval": "0.1s", "max_interval": "1s"}
    asked = {
        "envoy_grpc": {
            "cluster_name": _DISCOVERY,
            "retry_policy": {"retry_back_off": backoff},
        }
    }
    source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    return {
        "node": {
            "id": f"router~{_LOOPBACK}~gw-1.{NAMESPACE}~{NAMESPACE}.svc.{CLUSTER_DOMAIN}",
            "cluster": "istio-ingressgateway",
            "metadata": {"NAMESPACE": NAMESPACE, "LABELS": _LABELS, "CLUSTER_ID": "Kubernetes"},
        },
        "admin": {"address": _address(ENVOY_ADMIN_PORT)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [asked],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {"clusters": [_discovery_cluster()]},
    }


def _istiod(layout: Layout) -> Invocation:
    options = {
        "kubeconfig": layout.credentials(_DISCOVERY),
        "meshConfig": _mesh(layout),
        "clusterID": "Kubernetes",
        "grpcAddr": f"{_LOOPBACK}:{ISTIOD_GRPC_PORT}",
        "httpAddr": f"{_LOOPBACK}:{ISTIOD_HTTP_PORT}",
        "monitoringAddr": f"{_LOOPBACK}:{ISTIOD_MONITORING_PORT}",
        "httpsAddr": "",
        "secureGRPCAddr": "",
        "ctrlz_address": _LOOPBACK,
        "ctrlz_port": ISTIOD_CTRLZ_PORT,
        "kubernetesApiQPS": 500,
        "kubernetesApiBurst": 1000,
        "shutdownDuration": "1s",
    }
    words = (f"--{key}={value}" for key, value in options.items())
    return Invocation(
        (str(layout.bin / _DISCOVERY), "discovery", *words),
        probes.http(f"http://{_LOOPBACK}:{ISTIOD_HTTP_PORT}/ready"),
        environment=_ENVIRONMENT,
        inputs=(_mesh(layout), _definitions(layout)),
    )


def _envoy(layout: Layout) -> Invocation:
    options = ("--config-path", str(_bootstrap(layout)), "--log-level", "warning")
    return Invocation(
        (str(layout.bin / "envoy"), *options, "--disable-hot-restart"),
        probes.http(f"http://{_LOOPBACK}:{ENVOY_ADMIN_PORT}/ready"),
        inputs=(_bootstrap(layout),),
    )


def _programs(layout: Layout) -> Mapping[str, Invocation]:
    return {_DISCOVERY: _istiod(layout), "envoy": _envoy(layout)}


_RULES = [
    objects.rule("", ["services", "endpoints", "namespaces", "nodes", "pods", "secrets"]),
    objects.rule("", ["configmaps"]),
    objects.rule("discovery.k8s.io", ["endpointslices"]),
    objects.rule("apiextensions.k8s.io", ["customresourcedefinitions"]),
    objects.rule("networking.k8s.io", ["ingresses", "ingressclasses"]),
    objects.rule("admissionregistration.k8s.io", ["*"]),
    # Read where its kinds are installed, though istiod is told not to serve them.
    objects.rule("gateway.networking.k8s.io", ["*"]),
    *(
        objects.rule(f"{group}.istio.io", ["*"])
        for group in ("extensions", "networking", "security", "telemetry")
    ),
]


def _gateway() -> dict[str, Any]:
    server = {
        "port": {"number": ISTIO_GATEWAY_PORT, "name": "http", "protocol": "HTTP"},
        # Without it Envoy would listen on every interface.
        "bind": _LOOPBACK,
        "hosts": ["*"],
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": NAMESPACE},
        "spec": {"selector": _LABELS, "servers": [server]},
    }


def _objects() -> list[dict[str, Any]]:
    return [objects.namespace(NAMESPACE), *objects.grant(_DISCOVERY, _RULES), _gateway()]


ADDON = Addon(
    name=NAME,
    version=f"Istio v{ISTIO}, Envoy v{ENVOY}",
    recipes=(ISTIO_BUILD, ENVOY_BUILD),
    links=_links,
    files=_files,
    programs=_programs,
    objects=_objects,
    definitions=_definitions,
    url=ISTIO_GATEWAY_URL,
)
