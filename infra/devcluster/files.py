"""Configuration that the components read, as text.

Pure: from the layout to file contents. JSON is YAML, so what is structured
is written as JSON by the standard library.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster.layout import Layout
from devcluster.packages import CNI_PLUGINS
from devcluster.settings import (
    API_URL,
    BRIDGE,
    CLUSTER_DOMAIN,
    DNS_HEALTH_PORT,
    DNS_IP,
    DNS_PORT,
    DNS_READY_PORT,
    KUBELET_HEALTH_PORT,
    KUBELET_PORT,
    MAX_PODS,
    NODE_IP,
    PAUSE_IMAGE,
    POD_CIDR,
    POD_RANGE_START,
)


def containerd(layout: Layout) -> str:
    """Write containerd's configuration: everything below the state directory."""
    home = layout.state / "containerd"
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{home}/root"
state = "{home}/state"

[grpc]
  address = "{layout.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{home}/opt"

[{cri}]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE no score can be lowered, and every sandbox would die of trying.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

  [{cri}.cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{layout.etc}/cni"

  [{cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [{cri}.containerd.runtimes.runc.options]
      Root = "{home}/runc"
"""


def network(layout: Layout) -> str:
    """Write the pod network: a bridge with the node's address as its gateway."""
    plugin = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(layout.state / "cni"),
            "ranges": [[{"subnet": POD_CIDR, "rangeStart": POD_RANGE_START, "gateway": NODE_IP}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return _json({"cniVersion": "1.0.0", "name": BRIDGE, "plugins": [plugin]})


def kubelet(layout: Layout) -> str:
    """Write the kubelet's configuration, fit for cgroup v1 and a machine without privileges."""
    pki = layout.pki
    return _json(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_IP,
            "port": KUBELET_PORT,
            "healthzPort": KUBELET_HEALTH_PORT,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki / "kubelet-serving.crt"),
            "tlsPrivateKeyFile": str(pki / "kubelet-serving.key"),
            "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
            "podLogsDir": str(layout.state / "pods"),
            "volumePluginDir": str(layout.state / "kubelet" / "volume-plugins"),
            "clusterDNS": [DNS_IP],
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": str(layout.etc / "resolv.conf"),
            "maxPods": MAX_PODS,
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "oomScoreAdj": 0,
            "failSwapOn": False,
            "evictionHard": {},
            "localStorageCapacityIsolation": False,
            "makeIPTablesUtilChains": False,
            "serializeImagePulls": False,
            "imageGCHighThresholdPercent": 100,
            # The defaults are meant for fleets; on one node they are what a test would measure.
            "kubeAPIQPS": 200,
            "kubeAPIBurst": 400,
            "eventRecordQPS": 0,
        }
    )


def audit_policy() -> str:
    """Write the audit policy: who asked for what and when, told once at the answer."""
    return _json(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata"}],
        }
    )


def corefile(layout: Layout) -> str:
    """Write CoreDNS's configuration: the cluster's names and no others."""
    return f"""{CLUSTER_DOMAIN}:{DNS_PORT} in-addr.arpa:{DNS_PORT} ip6.arpa:{DNS_PORT} {{
    bind {NODE_IP}
    health 127.0.0.1:{DNS_HEALTH_PORT}
    ready 127.0.0.1:{DNS_READY_PORT}
    errors
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {layout.credentials("coredns")}
        pods insecure
        ttl 5
    }}
    loadbalance
}}

.:{DNS_PORT} {{
    bind {NODE_IP}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def kubeconfig(pki: Path, identity: str, server: str = API_URL) -> str:
    """Write a kubeconfig that carries its credentials inside."""

    def encoded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": encoded("ca.crt")}
    user = {
        "client-certificate-data": encoded(f"{identity}.crt"),
        "client-key-data": encoded(f"{identity}.key"),
    }
    context = {"cluster": "gatewaycanary", "user": identity, "namespace": "default"}
    return _json(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "gatewaycanary", "cluster": cluster}],
            "users": [{"name": identity, "user": user}],
            "contexts": [{"name": "gatewaycanary", "context": context}],
            "current-context": "gatewaycanary",
        }
    )


_CLIENTS = (
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
    "traefik",
    "traefik-gateway-api",
    "istiod",
    "kwok",
)


def contents(layout: Layout) -> Mapping[Path, str]:
    """Return every configuration file's path and content."""
    return {
        layout.etc / "containerd.toml": containerd(layout),
        layout.etc / "cni" / "10-bridge.conflist": network(layout),
        layout.etc / "kubelet.yaml": kubelet(layout),
        layout.etc / "audit-policy.yaml": audit_policy(),
        layout.etc / "Corefile": corefile(layout),
        layout.etc / "resolv.conf": f"nameserver {DNS_IP}\n",
        **{layout.credentials(name): kubeconfig(layout.pki, name) for name in _CLIENTS},
        layout.kubeconfig: kubeconfig(layout.pki, "admin"),
    }


def write(contents: Mapping[Path, str]) -> None:
    """Write configuration files, readable by their owner only."""
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(content)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
