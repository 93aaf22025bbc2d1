"""Ingresses read as flat lists of what they route: host, path, Service and port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewaycanary.core.writes import Object


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Spot:
    """Where requests are told apart; an empty path is the root, as routers take it."""

    host: str
    path: str
    path_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One path of an Ingress that leads to a Service. ``field``: where it stands."""

    spot: Spot
    service: str
    port: str
    field: str


def entries(ingress: Object) -> Iterator[Entry]:
    """Give the paths of an Ingress that lead to Services."""
    for rule_index, rule in enumerate(ingress.get("spec", {}).get("rules") or ()):
        for path_index, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            service = path.get("backend", {}).get("service")
            if service:
                yield Entry(
                    spot=Spot(
                        host=rule.get("host") or "",
                        path=path.get("path") or "/",
                        path_type=path.get("pathType") or "",
                    ),
                    service=service.get("name", ""),
                    port=port_text(service),
                    field=f"spec.rules[{rule_index}].http.paths[{path_index}]",
                )


def port_text(service: Object) -> str:
    """Spell the port of a backend, by which routers tell upstreams of one Service apart."""
    port = service.get("port") or {}
    return str(port.get("name") or port.get("number") or "")


def default_service(ingress: Object) -> Object | None:
    """Give the Service of the default backend."""
    backend: Object = ingress.get("spec", {}).get("defaultBackend") or {}
    service: Object | None = backend.get("service")
    return service


def services(ingress: Object) -> tuple[str, ...]:
    """Name every Service that the Ingress leads to, once."""
    default = default_service(ingress)
    names = [entry.service for entry in entries(ingress)]
    if default is not None:
        names.append(default.get("name", ""))
    return tuple(dict.fromkeys(names))


def annotations_of(ingress: Object) -> Mapping[str, str]:
    """Give the annotations; empty where there are none."""
    found: Mapping[str, str] = ingress.get("metadata", {}).get("annotations") or {}
    return found


def rules_towards(ingress: Object, *, service: str, instead: str) -> list[dict[str, Any]]:
    """Copy the rules and paths that lead to a Service, leading to another instead."""
    copied: list[dict[str, Any]] = []
    for rule in ingress.get("spec", {}).get("rules") or ():
        paths = [
            _redirected(path, instead)
            for path in (rule.get("http") or {}).get("paths") or ()
            if (path.get("backend", {}).get("service") or {}).get("name") == service
        ]
        if paths:
            host = {"host": rule["host"]} if rule.get("host") else {}
            copied.append({**host, "http": {"paths": paths}})
    return copied


def _redirected(path: Object, service: str) -> dict[str, Any]:
    backend = {"service": {**path["backend"]["service"], "name": service}}
    return {**path, "backend": backend}
