"""Every number and name that two modules must agree on.

The pod network and the node share one bridge: the bridge's own address is
the node's address, the pods' gateway and the address pods reach the API
server by. Everything that people talk to listens on 127.0.0.1.
"""

from typing import Final

KUBERNETES: Final = "1.37.2"
HELM: Final = "4.3.1"
KWOK: Final = "0.8.0"
TRAEFIK: Final = "3.7.13"
ISTIO: Final = "0.0.0-20260827124520-eed52ebb66ad"
ENVOY: Final = "1.40.0"
GATEWAY_API: Final = "1.6.1"
MINIMUM_GO: Final = (1, 26)

NODE: Final = "gatewaycanary"
BRIDGE: Final = "gwc0"
NODE_IP: Final = "10.244.0.1"
POD_PREFIX: Final = 22
POD_CIDR: Final = f"10.244.0.0/{POD_PREFIX}"
POD_RANGE_START: Final = "10.244.0.10"
SERVICE_CIDR: Final = "10.96.0.0/16"
KUBERNETES_SERVICE_IP: Final = "10.96.0.1"
DNS_IP: Final = "10.96.0.10"
CLUSTER_DOMAIN: Final = "cluster.local"
MAX_PODS: Final = 400
"""Well under the /22's 1022 addresses, so that churn never waits for a free one."""

API_PORT: Final = 6443
ETCD_PORT: Final = 12379
ETCD_PEER_PORT: Final = 12380
CONTROLLER_MANAGER_PORT: Final = 10257
SCHEDULER_PORT: Final = 10259
KUBELET_PORT: Final = 10250
KUBELET_HEALTH_PORT: Final = 10248
PROXY_HEALTH_PORT: Final = 10256
PROXY_METRICS_PORT: Final = 10249
DNS_PORT: Final = 1053
DNS_HEALTH_PORT: Final = 18083
DNS_READY_PORT: Final = 18084
GATEWAY_PORT: Final = 18080
GATEWAY_ADMIN_PORT: Final = 18081
GATEWAY_TLS_PORT: Final = 18443
KWOK_PORT: Final = 18085
ISTIO_GATEWAY_PORT: Final = 18090
ENVOY_ADMIN_PORT: Final = 18091
GATEWAY_API_PORT: Final = 18092
GATEWAY_API_ADMIN_PORT: Final = 18093
ISTIOD_GRPC_PORT: Final = 15010
ISTIOD_HTTP_PORT: Final = 15011
ISTIOD_CTRLZ_PORT: Final = 15013
ISTIOD_MONITORING_PORT: Final = 15014

API_URL: Final = f"https://127.0.0.1:{API_PORT}"
GATEWAY_URL: Final = f"http://127.0.0.1:{GATEWAY_PORT}"
ISTIO_GATEWAY_URL: Final = f"http://127.0.0.1:{ISTIO_GATEWAY_PORT}"
GATEWAY_API_URL: Final = f"http://127.0.0.1:{GATEWAY_API_PORT}"

INGRESS_CLASS: Final = "nginx"
INGRESS_CONTROLLER: Final = "k8s.io/ingress-nginx"
PROPAGATION: Final = "100ms"
"""How long Traefik gathers changes before it applies them; its default of 2 s hides races."""

PAUSE_IMAGE: Final = "localhost/pause:1"
TOOLBOX_IMAGE: Final = "localhost/toolbox:1"
PODINFO_REPOSITORY: Final = "localhost/podinfo"
