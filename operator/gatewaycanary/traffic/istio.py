"""Traffic by the weights of an Istio VirtualService, which a person holds.

Two layouts. With two hosts, stable and canary are Services, told apart by ``destination.host``.
With one host and subsets, both are pods of the stable Service, told apart by
``destination.subset``, as a DestinationRule defines them.

Only HTTP routes that send to stable are shifted, all together. NB: the weight of a destination
without one is 100 where it stands alone and 0 beside others.
"""

from __future__ import annotations

from typing import Any, Final

from gatewaycanary.api.traffic import Subsets
from gatewaycanary.core.lookups import Lookup, fields, service_of_host, services_behind
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import istio_checks, weights
from gatewaycanary.traffic.held import HeldProvider
from gatewaycanary.traffic.held_rules import Dialect
from gatewaycanary.traffic.protocol import Key, Kind, RouteContext

API_VERSION: Final = "networking.istio.io/v1"
KIND: Final = "VirtualService"
RULE_KIND: Final = "DestinationRule"


class Istio(HeldProvider):
    """The provider of ``spec.traffic.istio``."""

    @property
    def name(self) -> str:
        """Name the provider as the spec's field is called."""
        return "istio"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Name the kinds that must be watched."""
        return ((API_VERSION, KIND), (API_VERSION, RULE_KIND))

    def keys(self, context: RouteContext) -> tuple[Key, ...]:
        """Name the VirtualService, and the Services that it and a DestinationRule may name."""
        return (
            (KIND, context.namespace, context.route),
            ("Service", context.namespace, context.stable_service),
            ("Service", context.namespace, context.canary_service),
        )

    def related(self, obj: Object) -> tuple[Key, ...]:
        """Name the object and the Services that its hosts mean."""
        namespace = obj["metadata"]["namespace"]
        behind = (("Service", namespace, one) for one in services_behind(obj))
        return ((obj["kind"], namespace, obj["metadata"]["name"]), *behind)

    def problems(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what forbids to shift this VirtualService."""
        return istio_checks.problems(context, lookup, self.dialect(context))

    def warnings(self, context: RouteContext, lookup: Lookup) -> tuple[Problem, ...]:
        """Tell what of it does not shift."""
        return istio_checks.warnings(context, lookup)

    def dialect(self, context: RouteContext) -> Dialect:
        """Tell how a VirtualService spells what is shifted."""
        subsets = context.subsets
        stable, canary = context.stable_service, context.canary_service

        def means(destination: Object, service: str, subset: str | None) -> bool:
            named = fields(destination.get("destination"))
            here = service_of_host(named.get("host"), context.namespace) == service
            return here and (subset is None or named.get("subset") == subset)

        def is_stable(destination: Object) -> bool:
            return means(destination, stable, subsets.stable if subsets else None)

        def is_canary(destination: Object) -> bool:
            if subsets is None:
                return means(destination, canary, None)
            return means(destination, stable, subsets.canary)

        return Dialect(
            api_version=API_VERSION,
            kind=KIND,
            rules="http",
            destinations="route",
            identity=("destination", "subset" if subsets else "host"),
            is_stable=is_stable,
            is_canary=is_canary,
            redirected=lambda destination: _redirected(destination, canary, subsets),
            unspelled=lambda among: weights.TOTAL if among == 1 else 0,
            leads_to=_leads_to,
            crd="virtualservices.networking.istio.io",
            setting="spec.traffic.istio.virtualService",
            names_setting="spec.traffic.istio.routes",
        )


def _leads_to(destination: Object) -> str:
    named = fields(destination.get("destination"))
    subset = f"/{named['subset']}" if named.get("subset") else ""
    return f"{named.get('host', '?')}{subset}"


def _redirected(destination: Object, canary: str, subsets: Subsets | None) -> dict[str, Any]:
    named = dict(destination["destination"])
    if subsets is not None:
        named["subset"] = subsets.canary
    else:
        # NB: a subset of stable's is none of the canary's.
        named.pop("subset", None)
        _, dot, rest = str(named["host"]).partition(".")
        named["host"] = f"{canary}{dot}{rest}"
    return {**destination, "destination": named}
