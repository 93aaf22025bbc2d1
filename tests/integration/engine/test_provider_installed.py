"""A provider whose kinds the API server does not know: told in words, and on it goes once it does.

The definitions are the ones that the cluster's addons install, from the projects' own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from devcluster.builds import Recipe
from devcluster.recipes import GATEWAY_API_BUILD, ISTIO_BUILD
from devcluster.waiting import wait_until
from gatewaycanary.core.writes import Object
from gatewaycanary.kube.resources import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    HTTP_ROUTE,
    SERVICE,
    VIRTUAL_SERVICE,
    Resource,
)
from integration.api.canaries import Canaries
from integration.engine.conftest import Start
from proving.api import MERGE, Api
from proving.clusters import DEFINITION

pytestmark = pytest.mark.apiserver

LABELS = {"app": "gateway"}
PROMPT = 5.0
"""Seconds within which a definition that comes is noticed, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A provider that is not installed. ``crds`` are the definitions that it needs."""

    traffic: Mapping[str, Any]
    resource: Resource
    build: Recipe
    crds: tuple[str, ...]
    spec: Mapping[str, Any]

    def definitions(self) -> list[dict[str, Any]]:
        """Read the definitions from the cluster's build."""
        path = self.build.home() / "definitions.yaml"
        if not path.exists():
            pytest.skip(f"{self.build.name} is not built")
        # NB: the C parser; the others take seconds for such a file.
        found = yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader)
        return [one for one in found if one["metadata"]["name"] in self.crds]


ISTIO = Absent(
    traffic={"istio": {"virtualService": "gateway"}},
    resource=VIRTUAL_SERVICE,
    build=ISTIO_BUILD,
    crds=("destinationrules.networking.istio.io", "virtualservices.networking.istio.io"),
    spec={
        "hosts": ["shop.example"],
        "http": [{"route": [{"destination": {"host": "gateway", "port": {"number": 80}}}]}],
    },
)
GATEWAY_API = Absent(
    traffic={"gatewayAPI": {"httpRoute": "gateway"}},
    resource=HTTP_ROUTE,
    build=GATEWAY_API_BUILD,
    crds=("httproutes.gateway.networking.k8s.io",),
    spec={"rules": [{"backendRefs": [{"name": "gateway", "port": 80}]}]},
)


@contextmanager
def installed(server: Api, absent: Absent) -> Iterator[None]:
    """Install the provider's definitions for as long as the block lasts."""
    for one in absent.definitions():
        server.create(DEFINITION, one)
    try:
        yield
    finally:
        for name in absent.crds:
            server.delete(DEFINITION, name)
        gone = wait_until(lambda: not any(server.find(DEFINITION, n) for n in absent.crds), 20.0)
        assert gone, "the definitions stay"


def gateway(server: Api, namespace: str) -> None:
    """Make a Deployment and its Service as if controllers had made it ready."""
    container = {"name": "gateway", "image": "example/gateway:1", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template}
    server.create(DEPLOYMENT, {"metadata": {"name": "gateway"}, "spec": spec}, namespace)
    ready = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), 1)
    status = DEPLOYMENT.path(namespace=namespace, name="gateway", subresource="status")
    change = {"status": {"observedGeneration": 1, **ready}}
    server.request("PATCH", status, change, content=MERGE)
    spec = {"selector": LABELS, "ports": [{"port": 80}]}
    server.create(SERVICE, {"metadata": {"name": "gateway"}, "spec": spec}, namespace)
    endpoints = {
        "metadata": {"name": "gateway-1", "labels": {"kubernetes.io/service-name": "gateway"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
        "ports": [{"port": 80}],
    }
    server.create(ENDPOINT_SLICE, endpoints, namespace)


def image(server: Api, namespace: str) -> str:
    """Give the image of the canary; nothing where there is none."""
    found = server.find(DEPLOYMENT, "gateway-canary", namespace)
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"]) if found else ""


def conditions(canaries: Canaries, name: str) -> dict[str, dict[str, str]]:
    """Give the conditions by their type."""
    return {one["type"]: one for one in canaries.read(name).get("status", {}).get("conditions", ())}


def awaits(canaries: Canaries, name: str, condition: Callable[[Object], bool]) -> Object:
    """Wait until the status is as wanted, and give it."""
    held = wait_until(lambda: condition(canaries.read(name).get("status", {})), PROMPT)
    status: Object = canaries.read(name).get("status", {})
    assert held, status
    return status


@pytest.mark.parametrize("absent", [ISTIO, GATEWAY_API], ids=lambda absent: absent.resource.kind)
def test_it_goes_on_once_the_provider_is_installed(
    start: Start, canaries: Canaries, server: Api, absent: Absent
) -> None:
    """Missing definitions are named in the status; once they come it goes on without a restart."""
    gateway(server, canaries.namespace)
    spec = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
        "image": "example/gateway:2",
        "traffic": {**absent.traffic},
    }
    # NB: without a list of namespaces it may watch which definitions there are.
    replica = start("--lease-namespace", canaries.namespace)
    replica.await_leading()
    name = str(canaries.create(spec)["metadata"]["name"])

    told = awaits(canaries, name, lambda status: "is not installed" in status.get("message", ""))
    assert told["phase"] == "Pending"
    assert absent.crds[-1] in told["message"]
    assert absent.resource.kind in told["message"]
    assert conditions(canaries, name)["Reconciling"]["status"] == "True"
    assert conditions(canaries, name)["Reconciling"]["reason"] == "ProviderNotInstalled"

    with installed(server, absent):
        told = awaits(canaries, name, lambda status: "there is no such" in status["message"])
        assert absent.resource.kind in told["message"]
        route = {
            "apiVersion": absent.resource.api_version,
            "kind": absent.resource.kind,
            "metadata": {"name": "gateway"},
            "spec": absent.spec,
        }
        server.create(absent.resource, route, canaries.namespace)
        awaits(canaries, name, lambda status: status["phase"] == "Preparing")
        wanted = spec["image"]
        assert wait_until(lambda: image(server, canaries.namespace) == wanted, PROMPT)
    assert replica.process.poll() is None, replica.said()
    assert "Traceback" not in replica.said()
