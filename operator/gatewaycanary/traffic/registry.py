"""The providers that are built in, by the name of the spec's field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.core.observation import Problem
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import Provider

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {provider.name: provider for provider in (Nginx(),)}
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
