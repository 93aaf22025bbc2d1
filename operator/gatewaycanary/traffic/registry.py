"""The providers that are built in, by the name of the spec's field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.core.naming import canary_name
from gatewaycanary.core.observation import Meta, Problem
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import Provider, RouteContext

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {provider.name: provider for provider in (Nginx(),)}
)

_ROUTES: Final = MappingProxyType(
    {"nginx": "ingress", "istio": "virtualService", "gatewayAPI": "httpRoute"}
)


def find(spec: GatewayCanarySpec) -> Provider | Problem:
    """Find the provider of a spec, or say that this version has none such."""
    name = spec.traffic.provider_name
    provider = PROVIDERS.get(name)
    if provider is not None:
        return provider
    return Problem(
        reason="ProviderUnavailable",
        object="",
        field=f"spec.traffic.{name}",
        message=f"provider {name} is not built into this version; built in: "
        + ", ".join(sorted(PROVIDERS)),
        immediate=True,
    )


def salvage(
    spec: Mapping[str, Any], *, meta: Meta, revision: str
) -> tuple[Provider, RouteContext] | None:
    """Find provider and route in a raw spec that does not parse: a way back must not wait for it.

    None where even that is not to be read from it.
    """
    traffic, target = spec.get("traffic"), _name(spec.get("targetRef"))
    named = spec.get("service")
    services = named if isinstance(named, Mapping) else {}
    for name, field in _ROUTES.items():
        route = traffic.get(name) if isinstance(traffic, Mapping) else None
        if name in PROVIDERS and target and _name(route, field):
            context = RouteContext(
                namespace=meta.namespace,
                canary=meta.name,
                owner_uid=meta.uid,
                revision=revision,
                target=target,
                route=_name(route, field),
                stable_service=_name(services, "stable") or target,
                canary_service=_name(services, "canary") or canary_name(target),
            )
            return PROVIDERS[name], context
    return None


def _name(holder: object, field: str = "name") -> str:
    found = holder.get(field) if isinstance(holder, Mapping) else None
    return found if isinstance(found, str) else ""
