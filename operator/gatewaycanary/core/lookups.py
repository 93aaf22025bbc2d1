"""Read-only access to the cached raw objects that checks and providers are made of.

A namespace may hold a thousand canaries, each with Services and a route, so nothing that is read
for one of them walks through all. Objects are filed under tokens instead: ``Deployment/web`` for
what concerns that Deployment, ``selector/app=web`` for a Service that selects by it. A cache keeps
``tokens`` as an index, and ``Lookup.filed`` asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from gatewaycanary.core.naming import OWNER_LABEL, canary_name
from gatewaycanary.core.writes import Object

SLICE_LABEL: Final = "kubernetes.io/service-name"


class Lookup(Protocol):
    """Cached objects by kind; a kind that is not watched has none."""

    def installed(self, kind: str) -> bool:
        """Tell whether the API server knows the kind, as far as that is asked."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object, or None where there is none."""

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Return all objects of the kind in the namespace."""

    def filed(self, kind: str, namespace: str, token: str) -> Iterable[Object]:
        """Return the objects of the kind in the namespace that ``tokens`` files under the token."""


def tokens(kind: str, obj: Object) -> tuple[str, ...]:
    """Give the tokens under which an object of the kind is filed, each once.

    A GatewayCanary is filed under all the objects that it is about; so an event of one of them
    finds it, and so do others that are about the same.
    """
    filing = _FILINGS.get(kind)
    return () if filing is None else tuple(dict.fromkeys(filing(obj)))


def token(kind: str, name: str) -> str:
    """Name what concerns an object."""
    return f"{kind}/{name}"


def owner_token(uid: str) -> str:
    """Name the GatewayCanary of this uid: what it is and what it owns."""
    return token("owner", uid)


def label_token(key: str, value: str) -> str:
    """Name a label that the pods of a Deployment carry."""
    return token("label", f"{key}={value}")


def spot_token(host: str, path: str) -> str:
    """Name a host and path that an Ingress routes."""
    return token("spot", host + path)


def services_selecting(
    lookup: Lookup, namespace: str, labels: Mapping[str, str]
) -> Iterator[Object]:
    """Give the Services whose selector matches these labels."""
    for key, value in labels.items():
        for service in lookup.filed("Service", namespace, _selector_token(key, value)):
            if labels.items() >= dict(service["spec"]["selector"]).items():
                yield service


def _selector_token(key: str, value: str) -> str:
    return token("selector", f"{key}={value}")


def _of_canary(obj: Object) -> Iterator[str]:
    spec = _spec(obj)
    target = str(fields(spec.get("targetRef")).get("name", ""))
    named = fields(spec.get("service"))
    traffic = fields(spec.get("traffic"))
    yield owner_token(obj.get("metadata", {}).get("uid", ""))
    yield token("Deployment", target)
    yield token("Deployment", canary_name(target))
    yield token("Service", named.get("stable") or target)
    yield token("Service", named.get("canary") or canary_name(target))
    for provider, kind, field in _ROUTES:
        if traffic.get(provider):
            yield token(kind, fields(traffic[provider]).get(field, ""))
    if traffic.get("nginx"):
        yield token("Ingress", canary_name(target))


def _of_deployment(obj: Object) -> Iterator[str]:
    template = _spec(obj).get("template") or {}
    for key, value in ((template.get("metadata") or {}).get("labels") or {}).items():
        yield label_token(key, value)


def _of_service(obj: Object) -> Iterator[str]:
    # NB: one pair of the selector is enough: labels that match it hold every pair.
    selector = _spec(obj).get("selector")
    if selector:
        yield _selector_token(*min(selector.items()))


def _of_ingress(obj: Object) -> Iterator[str]:
    spec = _spec(obj)
    default = (spec.get("defaultBackend") or {}).get("service")
    if default:
        yield token("Service", default.get("name", ""))
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield spot_token(rule.get("host") or "", path.get("path") or "/")
            service = (path.get("backend") or {}).get("service")
            if service:
                yield token("Service", service.get("name", ""))


def service_of_host(host: object, namespace: str) -> str:
    """Name the Service of the namespace that a host in Istio's objects there means, or "".

    NB: Istio completes a name without dots; one with dots it takes as it is.
    """
    name, dot, rest = host.partition(".") if isinstance(host, str) else ("", "", "")
    return name if not dot or rest.startswith(f"{namespace}.svc.") else ""


def items(holder: object, field: str) -> list[tuple[int, Mapping[str, Any]]]:
    """Give the objects of a list with their places, whatever a stored object really holds there."""
    found = fields(holder).get(field)
    held = found if isinstance(found, list) else []
    return [(index, one) for index, one in enumerate(held) if isinstance(one, Mapping)]


def listed(holder: object, field: str) -> list[Mapping[str, Any]]:
    """Give the objects of a list."""
    return [one for _, one in items(holder, field)]


def services_behind(obj: Object) -> tuple[str, ...]:
    """Name the Services that an object of Istio's is about, once each."""
    namespace = obj.get("metadata", {}).get("namespace", "")
    spec = _spec(obj)
    destinations = [
        fields(one.get("destination")).get("host")
        for protocol in ("http", "tls", "tcp")
        for rule in listed(spec, protocol)
        for one in listed(rule, "route")
    ]
    named = (service_of_host(host, namespace) for host in (spec.get("host"), *destinations))
    return tuple(dict.fromkeys(name for name in named if name))


def _of_mesh_route(obj: Object) -> Iterator[str]:
    for name in services_behind(obj):
        yield token("Service", name)


def backends(obj: Object) -> tuple[str, ...]:
    """Name the Services of its own namespace that an HTTPRoute leads to, once each."""
    names = (
        str(backend.get("name", ""))
        for rule in listed(_spec(obj), "rules")
        for backend in listed(rule, "backendRefs")
    )
    return tuple(dict.fromkeys(names))


def _of_http_route(obj: Object) -> Iterator[str]:
    for name in backends(obj):
        yield token("Service", name)


def _of_autoscaler(obj: Object) -> Iterator[str]:
    target = _spec(obj).get("scaleTargetRef") or {}
    yield token(target.get("kind", ""), target.get("name", ""))


def _of_slice(obj: Object) -> Iterator[str]:
    labels = obj.get("metadata", {}).get("labels") or {}
    yield token("Service", labels.get(SLICE_LABEL, ""))


def _of_owned(obj: Object) -> Iterator[str]:
    labels = obj.get("metadata", {}).get("labels") or {}
    yield owner_token(labels.get(OWNER_LABEL, ""))


def fields(value: object) -> Mapping[str, Any]:
    """Give the fields of a value; a spec stored before its schema may have none where it should."""
    return value if isinstance(value, Mapping) else {}


def _spec(obj: Object) -> Mapping[str, Any]:
    return fields(obj.get("spec"))


_ROUTES: Final = (
    ("nginx", "Ingress", "ingress"),
    ("istio", "VirtualService", "virtualService"),
    ("gatewayAPI", "HTTPRoute", "httpRoute"),
)
_FILINGS: Final[Mapping[str, Callable[[Object], Iterator[str]]]] = MappingProxyType(
    {
        "GatewayCanary": _of_canary,
        "Deployment": _of_deployment,
        "Service": _of_service,
        "Ingress": _of_ingress,
        "VirtualService": _of_mesh_route,
        "DestinationRule": _of_mesh_route,
        "HTTPRoute": _of_http_route,
        "HorizontalPodAutoscaler": _of_autoscaler,
        "EndpointSlice": _of_slice,
        "Pod": _of_owned,
        "Job": _of_owned,
    }
)
