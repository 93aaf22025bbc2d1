"""A stricter schema must not stand between the operator and an object stored before it.

Kubernetes ratchets: what a write does not change is not refused for what it already was. The
operator depends on that to bring traffic home after an upgrade, so it is tried, on a copy of the
CRD in a group of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client

from devcluster.waiting import wait_until
from gatewaycanary.api.crd import KIND, PLURAL, VERSION, crd
from gatewaycanary.api.rules import VALIDATIONS
from integration.api.canaries import Canaries
from integration.api.cases import BASE, changed, steps

pytestmark = pytest.mark.apiserver

GROUP = "upgrade.canary.soma.dev"


def without_rules(node: Any) -> Any:
    """Give a schema as an older version might have had it."""
    if isinstance(node, dict):
        return {key: without_rules(value) for key, value in node.items() if key != VALIDATIONS}
    return [without_rules(item) for item in node] if isinstance(node, list) else node


def definition() -> dict[str, Any]:
    """Give the CRD under a group of its own."""
    copied = copy.deepcopy(crd())
    copied["metadata"]["name"] = f"{PLURAL}.{GROUP}"
    copied["spec"]["group"] = GROUP
    copied["spec"]["names"] |= {"shortNames": [], "categories": []}
    return copied


@dataclass(frozen=True, slots=True)
class Copy:
    """The copied CRD and its objects."""

    definitions: client.ApiextensionsV1Api
    objects: client.CustomObjectsApi
    namespace: str

    @property
    def place(self) -> dict[str, Any]:
        """Say where its objects are."""
        return {"group": GROUP, "version": VERSION, "namespace": self.namespace, "plural": PLURAL}

    def install(self, body: dict[str, Any]) -> None:
        """Apply the CRD."""
        self.definitions.patch_custom_resource_definition(
            body["metadata"]["name"],
            body,
            field_manager="tests",
            force=True,
            _content_type="application/apply-patch+yaml",
        )

    def status_of_creating(self, spec: dict[str, Any], *, name: str, dry_run: bool = False) -> int:
        """Create an object; give the answer's code."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": name, "finalizers": [f"{GROUP}/traffic"]},
            "spec": spec,
        }
        options: dict[str, Any] = {"dry_run": "All"} if dry_run else {}
        try:
            self.objects.create_namespaced_custom_object(**self.place, body=body, **options)
        except client.ApiException as error:
            return int(error.status or 0)
        return 201


@pytest.fixture
def upgraded(api_client: client.ApiClient, canaries: Canaries) -> Iterator[Copy]:
    """Give the copied CRD with today's rules, and `old` in it, which breaks them."""
    definitions = client.ApiextensionsV1Api(api_client)
    tried = Copy(definitions, client.CustomObjectsApi(api_client), canaries.namespace)
    broken = changed(BASE, steps(50, 25))
    tried.install(without_rules(definition()))
    assert wait_until(lambda: tried.status_of_creating(broken, name="old") == 201, 30.0)
    tried.install(definition())

    def refused() -> bool:
        return tried.status_of_creating(broken, name="new", dry_run=True) == 422

    assert wait_until(refused, 30.0), "the new rules are not served"
    yield tried
    definitions.delete_custom_resource_definition(f"{PLURAL}.{GROUP}")


def test_an_object_that_breaks_new_rules_can_be_brought_home(upgraded: Copy) -> None:
    """Its status can be written, its finalizer taken away, and its other fields edited."""
    merged: dict[str, Any] = {
        **upgraded.place,
        "name": "old",
        "_content_type": "application/merge-patch+json",
    }
    status = {"status": {"phase": "RollingBack", "observedGeneration": 1}}
    stored: Any = upgraded.objects.patch_namespaced_custom_object_status(**merged, body=status)
    assert stored["status"]["phase"] == "RollingBack"
    change: dict[str, Any] = {"spec": {"suspend": True}}
    edited: Any = upgraded.objects.patch_namespaced_custom_object(**merged, body=change)
    assert edited["spec"]["suspend"] is True
    change = {"metadata": {"finalizers": None}}
    freed: Any = upgraded.objects.patch_namespaced_custom_object(**merged, body=change)
    assert "finalizers" not in freed["metadata"]
