"""The CRD on a real API server, and a namespace to try specs in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kubernetes import client, config

from devcluster.waiting import wait_until
from gatewaycanary.api.crd import GROUP, NAME, PLURAL, VERSION, crd_yaml
from integration.api.canaries import Canaries


def install_crd(api_client: client.ApiClient) -> None:
    """Apply the generated CRD and wait until it is served."""
    definitions = client.ApiextensionsV1Api(api_client)
    definitions.patch_custom_resource_definition(
        NAME,
        yaml.safe_load(crd_yaml()),
        field_manager="tests",
        force=True,
        _content_type="application/apply-patch+yaml",
    )

    objects = client.CustomObjectsApi(api_client)

    def served() -> bool:
        # Established comes first; the resource's handler follows in its own time.
        try:
            objects.list_cluster_custom_object(GROUP, VERSION, PLURAL, limit=1)
        except client.ApiException as error:
            if error.status != 404:
                raise
            return False
        return True

    assert wait_until(served, 30.0), "the API server does not serve the CRD"


@pytest.fixture(scope="session")
def api_client(api: Path) -> Iterator[client.ApiClient]:
    """Give a client of the API server, with the CRD installed."""
    with config.new_client_from_config(str(api)) as opened:  # type: ignore[no-untyped-call]
        install_crd(opened)
        yield opened


@pytest.fixture(scope="session")
def canaries(api_client: client.ApiClient) -> Iterator[Canaries]:
    """Give a namespace of our own."""
    core = client.CoreV1Api(api_client)
    namespace = f"api-{uuid.uuid4().hex[:8]}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
    yield Canaries(client.CustomObjectsApi(api_client), namespace)
    core.delete_namespace(namespace)
