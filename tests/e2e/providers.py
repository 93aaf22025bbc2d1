"""The ways of splitting traffic that scenarios run on, and how a person edits each of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gatewaycanary.kube.resources import HTTP_ROUTE, INGRESS, VIRTUAL_SERVICE, Resource
from proving.timelines import WEIGHT

if TYPE_CHECKING:
    from e2e.scenes import Scene

STABLE, CANARY = "gateway", "gateway-canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One way of splitting traffic: the spec's field, and the object that carries the weight."""

    name: str
    traffic: Mapping[str, Any]
    resource: Resource
    carrier: str

    @property
    def kind(self) -> str:
        """Name the kind of the route in the release."""
        return self.resource.kind

    def edit(self, scene: Scene, weight: str | None) -> None:
        """Give the canary another weight by hand; None takes it away."""
        raise NotImplementedError


class _Annotated(Provider):
    """The weight is an annotation of an object of ours."""

    def edit(self, scene: Scene, weight: str | None) -> None:
        """Set the annotation, or remove it."""
        change = {"metadata": {"annotations": {WEIGHT: weight}}}
        scene.by_hand(self.resource, self.carrier, change)


class _Held(Provider):
    """The weights stand in an object that a person holds."""

    def edit(self, scene: Scene, weight: str | None) -> None:
        """Set both weights of the first rule, or take our destination out."""
        found = scene.api.get(self.resource, self.carrier, scene.namespace)
        spec = copy.deepcopy(found["spec"])
        self._change(spec, None if weight is None else int(weight))
        scene.by_hand(self.resource, self.carrier, {"spec": spec})

    def _change(self, spec: dict[str, Any], weight: int | None) -> None:
        rule, field = self._rule(spec)
        stable, canary = rule[field]
        if weight is None:
            stable["weight"] = 100
            rule[field] = [stable]
        else:
            stable["weight"], canary["weight"] = 100 - weight, weight

    def _rule(self, spec: dict[str, Any]) -> tuple[dict[str, Any], str]:
        if self.kind == "HTTPRoute":
            return spec["rules"][0], "backendRefs"
        return spec["http"][0], "route"


NGINX: Provider = _Annotated(
    name="nginx",
    traffic={"nginx": {"ingress": "gateway"}},
    resource=INGRESS,
    carrier="gateway-canary",
)
ISTIO: Provider = _Held(
    name="istio",
    traffic={"istio": {"virtualService": "gateway"}},
    resource=VIRTUAL_SERVICE,
    carrier="gateway",
)
GATEWAY_API: Provider = _Held(
    name="gateway-api",
    traffic={"gatewayAPI": {"httpRoute": "gateway"}},
    resource=HTTP_ROUTE,
    carrier="gateway",
)

HELD = (ISTIO, GATEWAY_API)
ALL = (NGINX, *HELD)


def named(parameter: object) -> str | None:
    """Name a provider in the id of a test; other parameters name themselves."""
    return parameter.name if isinstance(parameter, Provider) else None
