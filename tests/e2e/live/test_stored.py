"""The cases of the conformance suite once more, with what a real API server makes of the writes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from conformance import held_cases
from conformance.benches import Bench
from conformance.cases import CASES
from conformance.gateway_api import GatewayBench
from conformance.istio import IstioBench, SubsetsBench
from conformance.nginx import NginxBench
from conformance.stages import Case
from devcluster import Cluster
from e2e.live.stored import StoredStage
from proving import clusters
from proving.api import Api

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]

DOCUMENTS_ONLY = {
    held_cases.odd_shapes_are_read: "the definitions refuse such shapes",
    held_cases.status_writes_are_no_new_version: "the status is no part of what is written here",
    held_cases.our_claim_is_given_up: "owners are made by hand there; here they are real",
}
BENCHES: dict[str, tuple[Callable[[], Bench], ...]] = {
    "nginx": (NginxBench,),
    "istio": (IstioBench, SubsetsBench),
    "gateway-api": (GatewayBench,),
}
PAIRS = [
    pytest.param(name, bench, case, id=f"{bench.__name__}-{case.name}")
    for name, benches in BENCHES.items()
    for bench in benches
    for case in CASES
    if case.features <= bench().features and case.check not in DOCUMENTS_ONLY
]


@pytest.fixture(scope="module")
def namespace(api: Api) -> Iterator[str]:
    """Give a namespace of this worker's own."""
    name = f"stored-{uuid.uuid4().hex[:8]}"
    clusters.create_namespace(api, name)
    yield name
    clusters.remove_namespace(api, name)


@pytest.fixture
def stage(
    cluster: Cluster, api: Api, namespace: str, provider: str, bench: Callable[[], Bench]
) -> Iterator[StoredStage]:
    """Give the bench, set up on the cluster's API server."""
    if provider not in cluster.gateway_urls and cluster.kind != "source":
        pytest.skip(f"a cluster of kind {cluster.kind} has no {provider}")
    made = StoredStage(bench=bench(), api=api, namespace=namespace)
    yield made
    made.stored.clear()


@pytest.mark.parametrize(("provider", "bench", "case"), PAIRS)
def test_promise(stage: StoredStage, case: Case) -> None:
    """The provider keeps the promise that the case's own docstring states."""
    case.check(stage)
