"""The ways of splitting traffic that the demo can show, as data.

The chart knows each by its name and brings its route; what the route's weight is, the history
tells for all of them alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One way of splitting traffic.

    ``traffic`` is the spec's field, settle time left out; ``route`` the kind that carries the
    weight; ``addons`` what the cluster needs beyond the bare one.
    """

    name: str
    traffic: Mapping[str, Any]
    route: str
    addons: tuple[str, ...] = ()


PROVIDERS: Mapping[str, Provider] = {
    each.name: each
    for each in (
        Provider(
            name="nginx",
            traffic={"nginx": {"ingress": "gateway"}},
            route="ingress",
        ),
        Provider(
            name="istio",
            traffic={"istio": {"virtualService": "gateway"}},
            route="virtualservice",
            addons=("istio",),
        ),
        Provider(
            name="gateway-api",
            traffic={"gatewayAPI": {"httpRoute": "gateway"}},
            route="httproute",
            addons=("gateway-api",),
        ),
    )
}
