"""Seeded rollouts through an API server that errs; `make faults` runs a hundred a provider."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devcluster import Cluster
from faults import reports, rollouts
from faults.judgements import judge
from faults.reports import Run
from faults.rollouts import Place
from faults.scenarios import Scenario, scenario
from proving.api import Api

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


SEEDS = [
    *(scenario(seed, "nginx") for seed in (2, 17, 18, 21, 26)),
    *(scenario(seed, "istio") for seed in (2, 19, 23, 28, 31)),
]


@pytest.mark.parametrize("wanted", SEEDS, ids=lambda each: f"{each.shape.provider}-{each.seed}")
def test_seed(
    cluster: Cluster, api: Api, credentials: Path, tmp_path: Path, wanted: Scenario
) -> None:
    """It ends right, breaks no invariant, and costs little more than without faults."""
    if cluster.kind != "source":
        pytest.skip(f"a cluster of kind {cluster.kind} has no fake nodes")
    place = Place(cluster=cluster, api=api, credentials=credentials, folder=tmp_path)
    with ThreadPoolExecutor(1) as pool:
        without = pool.submit(rollouts.run, place, wanted.shape, None)
        outcome = rollouts.run(place, wanted.shape, wanted.plan)
    plain = without.result()
    wrong = [*plain.troubles, *judge(outcome, plain)]
    run = Run(scenario=wanted, outcome=outcome, plain=plain, wrong=wrong)
    assert not run.wrong, reports.failure(run)
