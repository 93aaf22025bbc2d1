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
from kubernetes import client

from devcluster.builds import Recipe
from devcluster.recipes import GATEWAY_API_BUILD, ISTIO_BUILD
from devcluster.waiting import wait_until
from gatewaycanary.core.writes import Object
from integration.api.canaries import Canaries
from integration.engine.conftest import Start
from integration.engine.test_replicas import options

pytestmark = pytest.mark.apiserver

LABELS = {"app": "gateway"}
PROMPT = 5.0
"""Seconds within which a definition that comes is noticed, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A provider that is not installed. ``crds`` are the definitions that it needs."""

    traffic: Mapping[str, Any]
    kind: str
    build: Recipe
    crds: tuple[str, ...]
    api: tuple[str, str, str]
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
    kind="VirtualService",
    build=ISTIO_BUILD,
    crds=("destinationrules.networking.istio.io", "virtualservices.networking.istio.io"),
    api=("networking.istio.io", "v1", "virtualservices"),
    spec={
        "hosts": ["shop.example"],
        "http": [{"route": [{"destination": {"host": "gateway", "port": {"number": 80}}}]}],
    },
)
GATEWAY_API = Absent(
    traffic={"gatewayAPI": {"httpRoute": "gateway"}},
    kind="HTTPRoute",
    build=GATEWAY_API_BUILD,
    crds=("httproutes.gateway.networking.k8s.io",),
    api=("gateway.networking.k8s.io", "v1", "httproutes"),
    spec={"rules": [{"backendRefs": [{"name": "gateway", "port": 80}]}]},
)


@contextmanager
def installed(api_client: client.ApiClient, absent: Absent) -> Iterator[None]:
    """Install the provider's definitions for as long as the block lasts."""
    api = client.ApiextensionsV1Api(api_client)
    definitions = absent.definitions()
    for one in definitions:
        api.create_custom_resource_definition(one)
    try:
        yield
    finally:
        for one in definitions:
            api.delete_custom_resource_definition(one["metadata"]["name"])
        left = {one["metadata"]["name"] for one in definitions}
        assert wait_until(lambda: not left & names(api), 20.0), "the definitions stay"


def names(api: client.ApiextensionsV1Api) -> set[str]:
    """Name the definitions that there are."""
    return {one.metadata.name for one in api.list_custom_resource_definition().items}


def gateway(api_client: client.ApiClient, namespace: str) -> None:
    """Make a Deployment and its Service as if controllers had made it ready."""
    apps, core = client.AppsV1Api(api_client), client.CoreV1Api(api_client)
    container = {"name": "gateway", "image": "example/gateway:1", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    deployment = {
        "metadata": {"name": "gateway"},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
    }
    apps.create_namespaced_deployment(namespace, deployment)
    ready = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), 1)
    status = {"status": {"observedGeneration": 1, **ready}}
    apps.patch_namespaced_deployment_status("gateway", namespace, status)
    spec = {"selector": LABELS, "ports": [{"port": 80}]}
    core.create_namespaced_service(namespace, {"metadata": {"name": "gateway"}, "spec": spec})
    endpoints = {
        "metadata": {"name": "gateway-1", "labels": {"kubernetes.io/service-name": "gateway"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
        "ports": [{"port": 80}],
    }
    client.DiscoveryV1Api(api_client).create_namespaced_endpoint_slice(namespace, endpoints)


def conditions(canaries: Canaries, name: str) -> dict[str, dict[str, str]]:
    """Give the conditions by their type."""
    return {one["type"]: one for one in canaries.read(name).get("status", {}).get("conditions", ())}


def awaits(canaries: Canaries, name: str, condition: Callable[[Object], bool]) -> Object:
    """Wait until the status is as wanted, and give it."""
    held = wait_until(lambda: condition(canaries.read(name).get("status", {})), PROMPT)
    status: Object = canaries.read(name).get("status", {})
    assert held, status
    return status


def image(api_client: client.ApiClient, namespace: str) -> str:
    """Give the image of the canary; nothing where there is none."""
    found = client.AppsV1Api(api_client).list_namespaced_deployment(namespace).items
    canaries = [one for one in found if one.metadata.name == "gateway-canary"]
    return str(canaries[0].spec.template.spec.containers[0].image) if canaries else ""


@pytest.mark.parametrize("absent", [ISTIO, GATEWAY_API], ids=lambda absent: absent.kind)
def test_it_goes_on_once_the_provider_is_installed(
    start: Start, canaries: Canaries, api_client: client.ApiClient, absent: Absent
) -> None:
    """Missing definitions are named in the status; once they come it goes on without a restart."""
    gateway(api_client, canaries.namespace)
    spec = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
        "image": "example/gateway:2",
        "traffic": {**absent.traffic},
    }
    replica = start(*options(canaries))
    replica.await_leading()
    name = str(canaries.create(spec)["metadata"]["name"])

    told = awaits(canaries, name, lambda status: "is not installed" in status.get("message", ""))
    assert told["phase"] == "Pending"
    assert absent.crds[-1] in told["message"]
    assert absent.kind in told["message"]
    assert conditions(canaries, name)["Reconciling"]["status"] == "True"
    assert conditions(canaries, name)["Reconciling"]["reason"] == "ProviderNotInstalled"

    with installed(api_client, absent):
        told = awaits(canaries, name, lambda status: "there is no such" in status["message"])
        assert absent.kind in told["message"]
        group, version, plural = absent.api
        route = {
            "apiVersion": f"{group}/{version}",
            "kind": absent.kind,
            "metadata": {"name": "gateway"},
            "spec": dict(absent.spec),
        }
        objects = client.CustomObjectsApi(api_client)
        objects.create_namespaced_custom_object(group, version, canaries.namespace, plural, route)
        awaits(canaries, name, lambda status: status["phase"] == "Preparing")
        assert wait_until(lambda: image(api_client, canaries.namespace), PROMPT)
        assert image(api_client, canaries.namespace) == "example/gateway:2"
    assert replica.process.poll() is None, replica.said()
    assert "Traceback" not in replica.said()
