"""Pods are counted, each once, and only those that may get requests."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.core.endpoints import ready_endpoints


def endpoint(pod: str = "", address: str = "10.0.0.1", **conditions: bool) -> dict[str, Any]:
    """Write an endpoint, of a pod if one is named."""
    target = {"targetRef": {"kind": "Pod", "name": pod, "uid": f"uid-{pod}"}} if pod else {}
    return {"addresses": [address], "conditions": conditions, **target}


def endpoint_slice(
    *endpoints: dict[str, Any], service: str = "web", family: str = "IPv4"
) -> dict[str, Any]:
    """Write an EndpointSlice."""
    return {
        "metadata": {"labels": {"kubernetes.io/service-name": service}},
        "addressType": family,
        "endpoints": list(endpoints),
    }


@pytest.mark.parametrize(
    ("slices", "ready"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([{**endpoint_slice(), "endpoints": None}], 0, id="an empty slice"),
        pytest.param([endpoint_slice(endpoint("a", ready=True))], 1, id="ready"),
        pytest.param([endpoint_slice(endpoint("a", ready=False))], 0, id="not ready"),
        pytest.param([endpoint_slice(endpoint("a"))], 1, id="unknown counts as ready"),
        pytest.param(
            [endpoint_slice(endpoint("a", ready=True, terminating=True))], 0, id="terminating"
        ),
        pytest.param(
            [endpoint_slice(endpoint("a", ready=True), service="api")], 0, id="another Service's"
        ),
        pytest.param(
            [
                endpoint_slice(endpoint("a", ready=True)),
                endpoint_slice(endpoint("a", "fd00::1", ready=True), family="IPv6"),
            ],
            1,
            id="dual stack",
        ),
        pytest.param(
            [
                endpoint_slice(endpoint("a", ready=True), endpoint("b", ready=True)),
                endpoint_slice(endpoint("b", ready=True), endpoint("c", ready=True)),
            ],
            3,
            id="twice while slices are rebalanced",
        ),
        pytest.param(
            [
                endpoint_slice(endpoint(), endpoint(address="10.0.0.2"), endpoint()),
                endpoint_slice(endpoint(address="fd00::1"), family="IPv6"),
            ],
            2,
            id="without pods, the larger family",
        ),
    ],
)
def test_ready_endpoints(slices: list[dict[str, Any]], ready: int) -> None:
    """The number of distinct ready endpoints of the Service."""
    assert ready_endpoints(slices, "web") == ready
