"""The providers that are built in, by the name of the spec's field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import FoundRoute
from gatewaycanary.api.traffic import Subsets
from gatewaycanary.core.lookups import fields
from gatewaycanary.core.naming import canary_name
from gatewaycanary.core.observation import Meta
from gatewaycanary.traffic.gateway_api import GatewayAPI
from gatewaycanary.traffic.istio import Istio
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import Provider, RouteContext

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {provider.name: provider for provider in (Nginx(), Istio(), GatewayAPI())}
)

_ROUTES: Final = MappingProxyType(
    {"nginx": "ingress", "istio": "virtualService", "gatewayAPI": "httpRoute"}
)


def find(spec: GatewayCanarySpec) -> Provider:
    """Find the provider of a spec."""
    return PROVIDERS[spec.traffic.provider_name]


def salvage(
    spec: Mapping[str, Any], *, meta: Meta, revision: str, found: FoundRoute | None = None
) -> tuple[Provider, RouteContext] | None:
    """Find provider and route in a raw spec that does not parse: a way back must not wait for it.

    None where even that is not to be read from it.
    """
    traffic, target = spec.get("traffic"), _name(spec.get("targetRef"))
    named = spec.get("service")
    services = named if isinstance(named, Mapping) else {}
    for name, field in _ROUTES.items():
        route = traffic.get(name) if isinstance(traffic, Mapping) else None
        if target and _name(route, field):
            context = RouteContext(
                namespace=meta.namespace,
                canary=meta.name,
                owner_uid=meta.uid,
                revision=revision,
                target=target,
                route=_name(route, field),
                stable_service=_name(services, "stable") or target,
                canary_service=_name(services, "canary") or canary_name(target),
                rules=_names(route),
                subsets=_subsets(route),
                found=found,
            )
            return PROVIDERS[name], context
    return None


def _names(route: object) -> tuple[str, ...]:
    named = fields(route).get("routes") or fields(route).get("rules")
    return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()


def _subsets(route: object) -> Subsets | None:
    named = fields(route).get("subsets")
    stable, canary = _name(named, "stable"), _name(named, "canary")
    return Subsets.model_construct(stable=stable, canary=canary) if stable and canary else None


def _name(holder: object, field: str = "name") -> str:
    found = holder.get(field) if isinstance(holder, Mapping) else None
    return found if isinstance(found, str) else ""
