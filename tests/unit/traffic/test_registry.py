"""Providers are found by the spec's field, and a way back even in a spec that does not parse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.core.observation import Meta
from gatewaycanary.traffic import registry
from gatewaycanary.traffic.gateway_api import GatewayAPI
from gatewaycanary.traffic.istio import Istio
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import RouteContext
from unit.core.objects import canary, parsed

META = Meta(uid="u", namespace="shop", name="gateway", generation=1)


@pytest.mark.parametrize(
    ("traffic", "provider"),
    [
        ({"nginx": {"ingress": "web"}}, Nginx),
        ({"istio": {"virtualService": "web"}}, Istio),
        ({"gatewayAPI": {"httpRoute": "web"}}, GatewayAPI),
    ],
)
def test_each_provider_is_found(traffic: dict[str, Any], provider: type[object]) -> None:
    """The field of spec.traffic names the provider."""
    _, spec = parsed(canary(traffic=traffic))
    assert isinstance(registry.find(spec), provider)


@pytest.mark.parametrize(
    "fields", [{}, {"service": {"stable": "a", "canary": "b"}}, {"service": {"stable": "a"}}]
)
def test_salvaged_as_parsed(fields: dict[str, Any]) -> None:
    """From a spec that parses the same route is read either way."""
    raw = canary(**fields)
    meta, spec = parsed(raw)
    found = registry.salvage(raw["spec"], meta=meta, revision="r")
    assert found is not None
    assert found[1] == RouteContext.of(spec, meta=meta, revision="r")


def test_salvaged_from_a_broken_spec() -> None:
    """Steps that do not parse do not hide the route."""
    raw = canary(steps=[{"weight": "lots"}], unknown=1)["spec"]
    found = registry.salvage(raw, meta=META, revision="r")
    assert found is not None
    assert (found[0].name, found[1].route, found[1].stable_service) == ("nginx", "web", "web")


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["traffic", "nginx", "ingress", "targetRef", "name", "service"]), inner
        )
    ),
    max_leaves=8,
)


@given(spec=st.dictionaries(st.sampled_from(["traffic", "targetRef", "service"]), JSON))
def test_nothing_salvaged_raises(spec: dict[str, Any]) -> None:
    """No raw spec, however broken, raises; a route is given only with a target and a name."""
    found = registry.salvage(spec, meta=META, revision="r")
    if found is not None:
        assert found[1].route
        assert found[1].target
