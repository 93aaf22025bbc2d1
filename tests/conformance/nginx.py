"""The nginx provider on the bench, with the merging of canary Ingresses that routers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.benches import OWNED_ROUTE, SPELLED
from conformance.documents import Documents
from gatewaycanary.core.writes import Object, pointer
from gatewaycanary.traffic.ingresses import annotations_of, entries
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import RouteContext

NAMESPACE = "shop"
CANARY = "nginx.ingress.kubernetes.io/canary"
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
TEAM = "example.com/team"


def path(where: str, service: str, *, port: object = "http") -> dict[str, Any]:
    """Write one path of an Ingress."""
    spelled = {"name": port} if isinstance(port, str) else {"number": port}
    backend = {"service": {"name": service, "port": spelled}}
    return {"path": where, "pathType": "Prefix", "backend": backend}


def ingress(
    name: str = "gateway",
    *,
    host: str = "shop.example",
    paths: Sequence[Object] = (),
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Write an Ingress of one host."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": dict(annotations or {}),
            "labels": dict(labels or {}),
        },
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": host, "http": {"paths": [dict(one) for one in paths]}}],
            **spec,
        },
    }


CONTEXT = RouteContext(
    namespace=NAMESPACE,
    canary="gateway",
    owner_uid="0f0e",
    revision="abc-1",
    target="web",
    route="gateway",
    stable_service="web",
    canary_service="web-canary",
)


class NginxBench:
    """An Ingress with two paths to stable and one elsewhere, beside an Ingress of others."""

    name = "nginx"
    features = frozenset({OWNED_ROUTE, SPELLED})
    provider = Nginx()
    context = CONTEXT

    def manifests(self) -> Sequence[Object]:
        """Give both Ingresses."""
        return (
            ingress(
                paths=(path("/", "web"), path("/api", "web", port=80), path("/pay", "pay")),
                annotations={TEAM: "shop", "nginx.ingress.kubernetes.io/rewrite-target": "/"},
                labels={"app.kubernetes.io/managed-by": "Helm"},
                tls=[{"hosts": ["shop.example"], "secretName": "shop-tls"}],
            ),
            ingress("blog", host="blog.example", paths=(path("/", "blog"),)),
        )

    def shares(self, documents: Documents) -> Mapping[str, int]:
        """Merge canary Ingresses into the others by host, path and type, as routers do."""
        found = list(documents.list("Ingress", NAMESPACE))
        canaries = [one for one in found if annotations_of(one).get(CANARY) == "true"]
        shares: dict[str, int] = {}
        for one in found:
            for entry in entries(one) if one not in canaries else ():
                kind = "stable" if entry.service == "web" else "other"
                place = f"{kind} {entry.spot.host}{entry.spot.path}"
                shares[place] = sum(
                    int(annotations_of(canary).get(WEIGHT, "0"))
                    for canary in canaries
                    for other in entries(canary)
                    if (other.spot, other.port) == (entry.spot, entry.port)
                    and other.service == "web-canary"
                )
        return shares

    def tamper(self, documents: Documents, spelled: str | None) -> None:
        """Spell the weight in our Ingress."""
        spot = pointer("metadata", "annotations", WEIGHT)
        change = {"op": "remove", "path": spot}
        if spelled is not None:
            change = {"op": "add", "path": spot, "value": spelled}
        documents.edit("Ingress", NAMESPACE, "web-canary", change)

    def touch(self, documents: Documents) -> None:
        """Annotate our Ingress."""
        change = {"op": "add", "path": pointer("metadata", "annotations", TEAM), "value": "x"}
        documents.edit("Ingress", NAMESPACE, "web-canary", change)

    def touched(self, documents: Documents) -> bool:
        """Look for the annotation."""
        found = documents.get("Ingress", NAMESPACE, "web-canary")
        return found is not None and annotations_of(found).get(TEAM) == "x"
