"""The routes in the documents are taken by the real CRDs as they stand there."""

from __future__ import annotations

import pytest
import yaml

from docs.documents import blocks
from gatewaycanary.kube.resources import Object, find
from proving.api import Api

pytestmark = [pytest.mark.cluster]

KINDS = ("VirtualService", "DestinationRule", "HTTPRoute")
ROUTES = [
    pytest.param(document, id=f"{block}-{document['kind']}")
    for block in blocks("yaml")
    for document in yaml.safe_load_all(block.text)
    if document["kind"] in KINDS
]


@pytest.mark.parametrize("document", ROUTES)
def test_a_route_is_taken(api: Api, document: Object) -> None:
    """Nothing in it is unknown to its schema or against its rules."""
    resource = find(document["apiVersion"], document["kind"])
    assert resource is not None
    path = f"{resource.path(namespace='default')}?dryRun=All&fieldValidation=Strict"
    assert api.request("POST", path, document)["metadata"]["name"] == document["metadata"]["name"]
