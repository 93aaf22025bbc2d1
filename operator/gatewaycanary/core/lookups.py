"""Read-only access to the cached raw objects that checks and providers are made of.

A namespace may hold a thousand canaries, each with Services and a route, so nothing that is read
for one of them walks through all. Objects are filed under tokens instead: ``Deployment/web`` for
what concerns that Deployment, ``selector/app=web`` for a Service that selects by it. A cache keeps
``tokens`` as an index, and ``Lookup.filed`` asks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from gatewaycanary.core.naming import canary_name
from gatewaycanary.core.writes import Object

SLICE_LABEL: Final = "kubernetes.io/service-name"


class Lookup(Protocol):
    """Cached objects by kind; a kind that is not watched has none."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object, or None where there is none."""

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Return all objects of the kind in the namespace."""

    def filed(self, kind: str, namespace: str, token: str) -> Iterable[Object]:
        """Return the objects of the kind in the namespace that ``tokens`` files under the token."""


def token(kind: str, name: str) -> str:
    """Name what concerns an object."""
    return f"{kind}/{name}"


def tokens(kind: str, obj: Object) -> tuple[str, ...]:
    """Give the tokens under which an object of the kind is filed.

    A GatewayCanary is filed under all the objects that it is about; so an event of one of them
    finds it, and so do others that are about the same.
    """
    spec = obj.get("spec") or {}
    match kind:
        case "GatewayCanary":
            return _of_canary(spec)
        case "Deployment":
            labels = spec.get("template", {}).get("metadata", {}).get("labels") or {}
            return tuple(label_token(key, value) for key, value in labels.items())
        case "Service":
            selector = spec.get("selector") or {}
            return (_selector_token(*min(selector.items())),) if selector else ()
        case "Ingress":
            return tuple(dict.fromkeys(_of_ingress(spec)))
        case "HorizontalPodAutoscaler":
            target = spec.get("scaleTargetRef", {})
            return (token(target.get("kind", ""), target.get("name", "")),)
        case "EndpointSlice":
            labels = obj.get("metadata", {}).get("labels") or {}
            return (token("Service", labels.get(SLICE_LABEL, "")),)
        case _:
            return ()


def _of_canary(spec: Mapping[str, Any]) -> tuple[str, ...]:
    target = str(spec.get("targetRef", {}).get("name", ""))
    named = spec.get("service") or {}
    traffic = spec.get("traffic") or {}
    routes = (
        ("Ingress", (traffic.get("nginx") or {}).get("ingress")),
        ("Ingress", canary_name(target) if "nginx" in traffic else None),
        ("VirtualService", (traffic.get("istio") or {}).get("virtualService")),
        ("HTTPRoute", (traffic.get("gatewayAPI") or {}).get("httpRoute")),
    )
    return (
        token("Deployment", target),
        token("Deployment", canary_name(target)),
        token("Service", named.get("stable") or target),
        token("Service", named.get("canary") or canary_name(target)),
        *(token(kind, name) for kind, name in routes if name),
    )


def _of_ingress(spec: Mapping[str, Any]) -> Iterator[str]:
    default = (spec.get("defaultBackend") or {}).get("service")
    if default:
        yield token("Service", default.get("name", ""))
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield spot_token(rule.get("host") or "", path.get("path") or "/")
            service = (path.get("backend") or {}).get("service")
            if service:
                yield token("Service", service.get("name", ""))


def spot_token(host: str, path: str) -> str:
    """Name a host and path that an Ingress routes."""
    return token("spot", host + path)


def label_token(key: str, value: str) -> str:
    """Name a label that the pods of a Deployment carry."""
    return token("label", f"{key}={value}")


def _selector_token(key: str, value: str) -> str:
    return token("selector", f"{key}={value}")


def services_selecting(
    lookup: Lookup, namespace: str, labels: Mapping[str, str]
) -> Iterator[Object]:
    """Give the Services whose selector matches these labels."""
    for key, value in labels.items():
        for service in lookup.filed("Service", namespace, _selector_token(key, value)):
            if labels.items() >= dict(service["spec"]["selector"]).items():
                yield service
