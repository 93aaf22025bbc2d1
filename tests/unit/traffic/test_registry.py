"""Providers are found by the spec's field, and a way back even in a spec that does not parse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.core.observation import Meta, Problem
from gatewaycanary.traffic import registry
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import RouteContext
from unit.core.objects import canary, parsed

META = Meta(uid="u", namespace="shop", name="gateway", generation=1)


def test_nginx_is_found() -> None:
    """The provider of spec.traffic.nginx is built in."""
    _, spec = parsed(canary())
    assert isinstance(registry.find(spec), Nginx)


@pytest.mark.parametrize(
    ("name", "traffic"),
    [
        ("istio", {"istio": {"virtualService": "web"}}),
        ("gatewayAPI", {"gatewayAPI": {"httpRoute": "web"}}),
    ],
)
def test_provider_not_built_in(name: str, traffic: dict[str, Any]) -> None:
    """A provider that this version lacks is a contradiction within the spec: refused at once."""
    _, spec = parsed(canary(traffic=traffic))
    found = registry.find(spec)
    assert isinstance(found, Problem)
    assert (found.field, found.immediate) == (f"spec.traffic.{name}", True)
    assert found.message == f"provider {name} is not built into this version; built in: nginx"


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
