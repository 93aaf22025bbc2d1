"""The kinds that the operator touches, and how each is addressed.

NB: items of a built-in list carry neither `kind` nor `apiVersion`, so what an object is must be
known from the resource it was asked for, never from the object.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote

Object: TypeAlias = dict[str, Any]
"""One Kubernetes object as raw JSON."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Address one kind of object in the API; the core group is the empty string.

    ``metadata_only``: of its objects nothing but the metadata is asked for.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    metadata_only: bool = False

    @property
    def crd(self) -> str:
        """Name the CustomResourceDefinition that brings the resource, if it is not built in."""
        return f"{self.plural}.{self.group}"

    @property
    def api_version(self) -> str:
        """Return what stands in an object's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self,
        *,
        namespace: str | None = None,
        name: str | None = None,
        subresource: str | None = None,
    ) -> str:
        """Return the URL path of the collection, of one object, or of its subresource."""
        parts = [f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"]
        if self.namespaced and namespace is not None:
            parts.append(f"namespaces/{quote(namespace, safe='')}")
        parts.append(self.plural)
        if name is not None:
            parts.append(quote(name, safe=""))
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)


GATEWAY_CANARY: Final = Resource("canary.soma.dev", "v1alpha1", "gatewaycanaries", "GatewayCanary")
DEPLOYMENT: Final = Resource("apps", "v1", "deployments", "Deployment")
SERVICE: Final = Resource("", "v1", "services", "Service")
ENDPOINT_SLICE: Final = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
POD: Final = Resource("", "v1", "pods", "Pod")
JOB: Final = Resource("batch", "v1", "jobs", "Job")
INGRESS: Final = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
INGRESS_CLASS: Final = Resource(
    "networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False
)
CONFIG_MAP: Final = Resource("", "v1", "configmaps", "ConfigMap")
SECRET: Final = Resource("", "v1", "secrets", "Secret")
SERVICE_ACCOUNT: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
PERSISTENT_VOLUME_CLAIM: Final = Resource(
    "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"
)
ROLE: Final = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDING: Final = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
NETWORK_POLICY: Final = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
POD_DISRUPTION_BUDGET: Final = Resource(
    "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"
)
HORIZONTAL_POD_AUTOSCALER: Final = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"
)
VIRTUAL_SERVICE: Final = Resource("networking.istio.io", "v1", "virtualservices", "VirtualService")
DESTINATION_RULE: Final = Resource(
    "networking.istio.io", "v1", "destinationrules", "DestinationRule"
)
SIDECAR: Final = Resource("networking.istio.io", "v1", "sidecars", "Sidecar")
AUTHORIZATION_POLICY: Final = Resource(
    "security.istio.io", "v1", "authorizationpolicies", "AuthorizationPolicy"
)
PEER_AUTHENTICATION: Final = Resource(
    "security.istio.io", "v1", "peerauthentications", "PeerAuthentication"
)
HTTP_ROUTE: Final = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
CUSTOM_RESOURCE_DEFINITION: Final = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
    metadata_only=True,
)
LEASE: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENT: Final = Resource("events.k8s.io", "v1", "events", "Event")

ALL: Final = (
    GATEWAY_CANARY,
    DEPLOYMENT,
    SERVICE,
    ENDPOINT_SLICE,
    POD,
    JOB,
    INGRESS,
    INGRESS_CLASS,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    PERSISTENT_VOLUME_CLAIM,
    ROLE,
    ROLE_BINDING,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    HORIZONTAL_POD_AUTOSCALER,
    VIRTUAL_SERVICE,
    DESTINATION_RULE,
    SIDECAR,
    AUTHORIZATION_POLICY,
    PEER_AUTHENTICATION,
    HTTP_ROUTE,
    LEASE,
    EVENT,
)

_BY_KIND: Final = {(resource.api_version, resource.kind): resource for resource in ALL}


def find(api_version: str, kind: str) -> Resource | None:
    """Return the resource that a manifest's apiVersion and kind name, or None if it is not ours."""
    return _BY_KIND.get((api_version, kind))
