"""How each component is called.

Limits that protect a fleet are lifted (on two cores, with many objects, a
client's own rate limit is what a test would measure), durability is given up
(the data dies with the cluster), leader election is off (there is one of each).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import probes
from devcluster.layout import Layout
from devcluster.settings import (
    API_PORT,
    API_URL,
    CLUSTER_DOMAIN,
    CONTROLLER_MANAGER_PORT,
    DNS_READY_PORT,
    ETCD_PEER_PORT,
    ETCD_PORT,
    GATEWAY_ADMIN_PORT,
    GATEWAY_PORT,
    GATEWAY_TLS_PORT,
    INGRESS_CONTROLLER,
    KUBELET_HEALTH_PORT,
    NODE,
    NODE_IP,
    PROPAGATION,
    PROXY_HEALTH_PORT,
    PROXY_METRICS_PORT,
    SCHEDULER_PORT,
    SERVICE_CIDR,
)


@dataclass(frozen=True, slots=True)
class Invocation:
    """Hold what it takes to run one component."""

    argv: tuple[str, ...]
    ready: probes.Probe
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()


_LOOPBACK = "127.0.0.1"


def argv(layout: Layout, name: str, options: Mapping[str, object]) -> tuple[str, ...]:
    """Write a program of ours and its options as a command."""
    return (str(layout.bin / name), *(f"--{key}={value}" for key, value in options.items()))


def _etcd(layout: Layout) -> Invocation:
    client = f"http://{_LOOPBACK}:{ETCD_PORT}"
    peer = f"http://{_LOOPBACK}:{ETCD_PEER_PORT}"
    options = {
        "name": NODE,
        "data-dir": layout.state / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{NODE}={peer}",
        "unsafe-no-fsync": "true",
        "quota-backend-bytes": 4 << 30,
        "log-level": "warn",
    }
    return Invocation(argv(layout, "etcd", options), probes.http(f"{client}/health"))


def _containerd(layout: Layout) -> Invocation:
    config = layout.etc / "containerd.toml"
    return Invocation(
        ("containerd", "--config", str(config)),
        probes.containerd(layout.containerd_socket),
        inputs=(config,),
    )


def _apiserver_serving(layout: Layout) -> dict[str, object]:
    pki = layout.pki
    return {
        # Also on the bridge, for pods; other interfaces are closed by the host's filter.
        "bind-address": "0.0.0.0",
        "advertise-address": NODE_IP,
        "secure-port": API_PORT,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": SERVICE_CIDR,
        "service-account-issuer": f"https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
        "service-account-key-file": pki / "service-accounts.key",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "allow-privileged": "true",
        "profiling": "false",
    }


def _apiserver(layout: Layout) -> Invocation:
    policy, pki = layout.etc / "audit-policy.yaml", layout.pki
    options = {
        **_apiserver_serving(layout),
        "etcd-servers": f"http://{_LOOPBACK}:{ETCD_PORT}",
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / "apiserver-kubelet.crt",
        "kubelet-client-key": pki / "apiserver-kubelet.key",
        "audit-policy-file": policy,
        "audit-log-path": layout.audit_log,
        "audit-log-maxsize": 200,
        "audit-log-maxbackup": 2,
    }
    # Asked for on loopback by anonymous probes, which RBAC lets see health and version.
    ready = probes.http(f"{API_URL}/readyz")
    return Invocation(argv(layout, "kube-apiserver", options), ready, inputs=(policy,))


def _client(layout: Layout, name: str, port: int) -> dict[str, object]:
    credentials = layout.credentials(name)
    return {
        "kubeconfig": credentials,
        "authentication-kubeconfig": credentials,
        "authorization-kubeconfig": credentials,
        "bind-address": _LOOPBACK,
        "secure-port": port,
        "leader-elect": "false",
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
        "profiling": "false",
    }


def _controller_manager(layout: Layout) -> Invocation:
    options = {
        **_client(layout, "kube-controller-manager", CONTROLLER_MANAGER_PORT),
        "root-ca-file": layout.pki / "ca.crt",
        "service-account-private-key-file": layout.pki / "service-accounts.key",
        "use-service-account-credentials": "true",
        # Looked for nowhere: the default directory would be made on the machine.
        "flex-volume-plugin-dir": layout.state / "kubelet" / "volume-plugins",
        "concurrent-deployment-syncs": 20,
        "concurrent-replicaset-syncs": 20,
    }
    ready = probes.http(f"https://{_LOOPBACK}:{CONTROLLER_MANAGER_PORT}/healthz")
    return Invocation(argv(layout, "kube-controller-manager", options), ready)


def _scheduler(layout: Layout) -> Invocation:
    options = _client(layout, "kube-scheduler", SCHEDULER_PORT)
    ready = probes.http(f"https://{_LOOPBACK}:{SCHEDULER_PORT}/readyz")
    return Invocation(argv(layout, "kube-scheduler", options), ready)


def _kubelet(layout: Layout) -> Invocation:
    config = layout.etc / "kubelet.yaml"
    options = {
        "config": config,
        "kubeconfig": layout.credentials("kubelet"),
        "root-dir": layout.state / "kubelet",
        "cert-dir": layout.state / "kubelet" / "pki",
        "hostname-override": NODE,
        "node-ip": NODE_IP,
    }
    ready = probes.http(f"http://{_LOOPBACK}:{KUBELET_HEALTH_PORT}/healthz")
    return Invocation(argv(layout, "kubelet", options), ready, inputs=(config,))


def _proxy(layout: Layout) -> Invocation:
    options = {
        "kubeconfig": layout.credentials("kube-proxy"),
        "hostname-override": NODE,
        "proxy-mode": "nftables",
        "conntrack-max-per-core": 0,
        "healthz-bind-address": f"{_LOOPBACK}:{PROXY_HEALTH_PORT}",
        "metrics-bind-address": f"{_LOOPBACK}:{PROXY_METRICS_PORT}",
        "nodeport-addresses": f"{NODE_IP}/32",
    }
    ready = probes.http(f"http://{_LOOPBACK}:{PROXY_HEALTH_PORT}/healthz")
    return Invocation(argv(layout, "kube-proxy", options), ready)


def _coredns(layout: Layout) -> Invocation:
    corefile = layout.etc / "Corefile"
    return Invocation(
        (str(layout.bin / "coredns"), "-conf", str(corefile)),
        probes.http(f"http://{_LOOPBACK}:{DNS_READY_PORT}/ready"),
        inputs=(corefile,),
    )


TRAEFIK_COMMON = {
    "providers.providersthrottleduration": PROPAGATION,
    "api.insecure": "true",
    "ping": "true",
    "metrics.prometheus": "true",
    "global.checknewversion": "false",
    "global.sendanonymoususage": "false",
}


def traefik_options(address: str) -> dict[str, object]:
    """Return Traefik's options for serving nginx annotations on an address."""
    nginx = "providers.kubernetesingressnginx"
    return {
        "entrypoints.web.address": f"{address}:{GATEWAY_PORT}",
        "entrypoints.websecure.address": f"{address}:{GATEWAY_TLS_PORT}",
        "entrypoints.websecure.http.tls": "true",
        "entrypoints.traefik.address": f"{address}:{GATEWAY_ADMIN_PORT}",
        nginx: "true",
        f"{nginx}.throttleduration": PROPAGATION,
        f"{nginx}.controllerclass": INGRESS_CONTROLLER,
        f"{nginx}.publishstatusaddress": _LOOPBACK,
        **TRAEFIK_COMMON,
    }


def _traefik(layout: Layout) -> Invocation:
    return Invocation(
        argv(layout, "traefik", traefik_options(_LOOPBACK)),
        probes.http(f"http://{_LOOPBACK}:{GATEWAY_ADMIN_PORT}/ping"),
        environment={"KUBECONFIG": str(layout.credentials("traefik"))},
    )


def programs(layout: Layout) -> Mapping[str, Invocation]:
    """Describe how every component of the bare cluster is called, in starting order."""
    return {
        "etcd": _etcd(layout),
        "containerd": _containerd(layout),
        "kube-apiserver": _apiserver(layout),
        "kube-controller-manager": _controller_manager(layout),
        "kube-scheduler": _scheduler(layout),
        "kubelet": _kubelet(layout),
        "kube-proxy": _proxy(layout),
        "coredns": _coredns(layout),
        "traefik": _traefik(layout),
    }
