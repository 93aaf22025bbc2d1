"""How a spec says which route carries the traffic: one field a provider."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from gatewaycanary.api.durations import Duration
from gatewaycanary.api.names import LabelName, ObjectName
from gatewaycanary.api.rules import UNSHOWN, Rule, Ruled, SpecModel, Transition

ProviderName = Literal["nginx", "istio", "gatewayAPI"]


def _fixed(field: str) -> Ruled:
    message = (
        f"{field} cannot change; delete this GatewayCanary (traffic returns to stable) "
        "and create it anew"
    )
    return Ruled((Transition(cel="self == oldSelf", message=message),))


RouteNames = Annotated[tuple[ObjectName, ...], Field(max_length=16, strict=False)]


class Nginx(SpecModel):
    """Traffic through the annotations of ingress-nginx, which Traefik honours too."""

    ingress: Annotated[ObjectName, _fixed("the Ingress")]
    """The Ingress that routes to the stable Service."""


class Subsets(SpecModel):
    """The two subsets of a one-host mesh, as the DestinationRule of the host defines them."""

    rules = (
        Rule(
            cel="self.stable != self.canary",
            holds=lambda subsets: subsets.stable != subsets.canary,
            message="stable and canary must be two different subsets",
        ),
    )

    stable: LabelName
    """The subset of the stable pods."""

    canary: LabelName
    """The subset of the canary's pods."""


class Istio(SpecModel):
    """Traffic through the weights of an Istio VirtualService."""

    virtual_service: Annotated[ObjectName, _fixed("the VirtualService")]
    """The VirtualService that routes to the stable host."""

    routes: RouteNames = Field(default=(), json_schema_extra=UNSHOWN)
    """Names of its HTTP routes to shift; every one that sends to stable where none is named."""

    subsets: Subsets | None = None
    """For a mesh with one host: stable and canary are subsets of the stable Service."""


class GatewayAPI(SpecModel):
    """Traffic through the weights of a Gateway API HTTPRoute."""

    http_route: Annotated[ObjectName, _fixed("the HTTPRoute")]
    """The HTTPRoute whose rules point at the stable Service."""

    rule_names: RouteNames = Field(default=(), alias="rules", json_schema_extra=UNSHOWN)
    """Names of its rules to shift; every one that sends to stable where none is named."""


_PROVIDERS = ("nginx", "istio", "gatewayAPI")


class Traffic(SpecModel):
    """Which route is moved; exactly one provider."""

    rules = (
        Rule(
            cel=f"[{', '.join(f'has(self.{name})' for name in _PROVIDERS)}].exists_one(x, x)",
            holds=lambda traffic: len(traffic.providers) == 1,
            message="set exactly one provider: nginx, istio or gatewayAPI",
        ),
        Transition(
            cel=" && ".join(f"has(self.{name}) == has(oldSelf.{name})" for name in _PROVIDERS),
            message="the provider cannot change; delete this GatewayCanary "
            "(traffic returns to stable) and create it anew",
        ),
    )

    nginx: Nginx | None = None
    """Ingress annotations, as of ingress-nginx and Traefik."""

    istio: Istio | None = None
    """An Istio VirtualService."""

    gateway_api: GatewayAPI | None = Field(default=None, alias="gatewayAPI")
    """A Gateway API HTTPRoute."""

    settle: Duration = timedelta(seconds=5)
    """How long to wait after a shift where nothing tells that the data plane has it."""

    @property
    def providers(self) -> tuple[ProviderName, ...]:
        """Name the providers that are set."""
        found: tuple[tuple[ProviderName, SpecModel | None], ...] = (
            ("nginx", self.nginx),
            ("istio", self.istio),
            ("gatewayAPI", self.gateway_api),
        )
        return tuple(name for name, provider in found if provider is not None)

    @property
    def provider_name(self) -> ProviderName:
        """Name the one provider, as the spec's field is called."""
        return self.providers[0]

    @property
    def rule_names(self) -> tuple[str, ...]:
        """Name the routes or rules that are to be shifted; empty for all that send to stable."""
        if self.istio is not None:
            return self.istio.routes
        return self.gateway_api.rule_names if self.gateway_api is not None else ()

    @property
    def subsets(self) -> Subsets | None:
        """Give the subsets of a mesh with one host."""
        return self.istio.subsets if self.istio is not None else None

    @property
    def route_name(self) -> str:
        """Name the one route object: the Ingress, VirtualService or HTTPRoute."""
        if self.nginx is not None:
            return self.nginx.ingress
        if self.istio is not None:
            return self.istio.virtual_service
        return self.gateway_api.http_route if self.gateway_api is not None else ""
