"""Whole operators on a real API server: they start, lead, stand by, survive outages, and end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from kubernetes import client

from devcluster.waiting import wait_until
from integration.api.canaries import Canaries
from integration.engine.conftest import Start
from integration.engine.outages import way_to
from integration.engine.replicas import ROOT, Replica, free_ports

pytestmark = pytest.mark.apiserver

SPEC = {
    "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"},
    "image": "example/gateway:2",
    "traffic": {"nginx": {"ingress": "absent"}},
}
FAREWELL = 3.0
"""Seconds within which an operator that is told to stop has ended, on a busy machine."""


def seen(canaries: Canaries, name: str) -> bool:
    """Tell whether an operator has looked at a canary."""
    return int(canaries.read(name)["status"]["observedGeneration"]) > 0


def served(canaries: Canaries) -> str:
    """Make a canary and wait until an operator has looked at it."""
    name = str(canaries.create(SPEC)["metadata"]["name"])
    assert wait_until(lambda: seen(canaries, name), 20.0)
    return name


def lease(api_client: client.ApiClient, namespace: str) -> Any:
    """Read the Lease of a namespace's operators."""
    leases = client.CoordinationV1Api(api_client)
    return leases.read_namespaced_lease("gatewaycanary", namespace).spec


def options(canaries: Canaries) -> tuple[str, ...]:
    """Serve one namespace, and keep the Lease in it."""
    return ("--namespace", canaries.namespace, "--lease-namespace", canaries.namespace)


def unanswered(replica: Replica) -> float:
    """Count the requests that got no answer."""
    found = replica.metrics().items()
    return sum(count for series, count in found if 'api_requests_total{code="0"' in series)


def series_of(replica: Replica, name: str) -> list[str]:
    """Name the series of one canary."""
    return [series for series in replica.metrics() if f'name="{name}"' in series]


def test_from_start_to_end(start: Start, canaries: Canaries, api_client: client.ApiClient) -> None:
    """It leads, serves what is there and what comes, forgets what goes, and ends in order."""
    there = str(canaries.create(SPEC)["metadata"]["name"])
    replica = start(*options(canaries))
    replica.await_leading()
    assert replica.probe("/healthz") == 200
    assert wait_until(lambda: seen(canaries, there), 10.0)
    status = canaries.read(there)["status"]
    assert status["phase"] == "Pending"
    assert "Deployment absent" in status["message"]
    came = served(canaries)
    assert len(series_of(replica, there)) == len(series_of(replica, came)) > 10
    canaries.delete(came)
    replica.await_that(lambda: not series_of(replica, came), "series of a deleted canary stay")
    assert series_of(replica, there)
    assert lease(api_client, canaries.namespace).holder_identity
    seconds = replica.stop()
    assert replica.process.returncode == 0, replica.said()
    assert seconds < FAREWELL, replica.said()
    assert not lease(api_client, canaries.namespace).holder_identity
    assert "Traceback" not in replica.said()


def test_a_standby_takes_over(start: Start, canaries: Canaries) -> None:
    """It is ready with warm caches, does nothing, and leads as soon as the leader has ended."""
    first = start(*options(canaries))
    first.await_leading()
    name = served(canaries)
    second = start(*options(canaries))
    second.await_ready()
    assert not second.leads()
    assert series_of(second, name) == [], "who leads tells of the canaries, or all count twice"
    before = second.metrics()
    began = monotonic()
    first.stop()
    second.await_leading()
    assert monotonic() - began < 2 * FAREWELL, second.said()
    served(canaries)
    second.await_that(lambda: bool(series_of(second, name)), "series of what was there are missing")
    after = second.metrics()
    depth = 'gatewaycanary_queue_depth{priority="active"}'
    assert before[depth] == 0.0, "a standby collects no keys"
    lists = 'gatewaycanary_api_requests_total{code="200",resource="deployments",verb="list"}'
    assert after[lists] == before[lists] == 1.0, "its caches were warm"


def test_only_the_chosen_namespaces(start: Start, canaries: Canaries, others: Canaries) -> None:
    """What lies elsewhere is not even looked at."""
    away = str(others.create(SPEC)["metadata"]["name"])
    start(*options(canaries)).await_leading()
    served(canaries)
    assert not seen(others, away)


def test_an_excluded_namespace(start: Start, canaries: Canaries, others: Canaries) -> None:
    """All others are served, and it is left alone whatever happens in it."""
    away = str(others.create(SPEC)["metadata"]["name"])
    replica = start(
        "--exclude-namespace", others.namespace, "--lease-namespace", canaries.namespace
    )
    replica.await_leading()
    later = str(others.create(SPEC)["metadata"]["name"])
    served(canaries)
    assert not seen(others, away)
    assert not seen(others, later)
    assert series_of(replica, away) == []


def test_a_port_that_is_taken(start: Start, canaries: Canaries, api: Path) -> None:
    """One line says which, and the exit code is 1."""
    first = start(*options(canaries))
    first.await_ready()
    (free,) = free_ports(1)
    command = [
        *(sys.executable, "-m", "gatewaycanary", "run", "--kubeconfig", str(api)),
        *("--probe-port", str(first.probe_port), "--metrics-port", str(free)),
    ]
    ended = subprocess.run(
        command, cwd=ROOT / "operator", capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert f"cannot listen on port {first.probe_port}" in ended.stderr


def test_an_api_server_that_is_away_at_the_start(
    start: Start, canaries: Canaries, api: Path, tmp_path: Path
) -> None:
    """It lives and is not ready until the server is there; then it works."""
    with way_to(api, tmp_path) as (way, kubeconfig):
        way.cut()
        replica = start(*options(canaries), kubeconfig=kubeconfig)
        replica.await_that(lambda: replica.probe("/healthz") == 200, "it is not live")
        assert replica.probe("/readyz") == 503
        way.mend()
        replica.await_leading()
        served(canaries)
        replica.stop()
        assert replica.process.returncode == 0, replica.said()


def test_it_ends_while_the_api_server_is_away(
    start: Start, canaries: Canaries, api: Path, tmp_path: Path
) -> None:
    """Nobody has to wait for a server that does not answer."""
    with way_to(api, tmp_path) as (way, kubeconfig):
        replica = start(*options(canaries), kubeconfig=kubeconfig)
        replica.await_leading()
        way.cut()
        assert replica.stop() < 2 * FAREWELL, replica.said()
        assert replica.process.returncode == 0, replica.said()


def test_an_outage_that_is_shorter_than_the_lease(
    start: Start, canaries: Canaries, api: Path, tmp_path: Path
) -> None:
    """It goes on leading, and what changed meanwhile is seen."""
    with way_to(api, tmp_path) as (way, kubeconfig):
        replica = start(*options(canaries), kubeconfig=kubeconfig)
        replica.await_leading()
        there = served(canaries)
        way.cut()
        came = str(canaries.create(SPEC)["metadata"]["name"])
        changed = canaries.read(there)
        changed["spec"]["image"] = "example/gateway:3"
        canaries.replace(changed)
        replica.await_that(lambda: unanswered(replica) >= 5, "it does not notice the outage")
        way.mend()
        replica.await_that(lambda: seen(canaries, came), "it does not see what came")
        replica.await_that(
            lambda: canaries.read(there)["status"]["observedGeneration"] == 2,
            "it does not see what changed",
        )
        assert replica.leads()


def test_a_lease_that_cannot_be_made(start: Start, canaries: Canaries) -> None:
    """Its namespace is missing: it says so, and does not storm the server."""
    replica = start("--namespace", canaries.namespace, "--lease-namespace", "nowhere")
    replica.await_ready()
    replica.await_that(lambda: replica.said().count("nowhere") >= 2, "it does not say so")
    asked = sum(
        count
        for series, count in replica.metrics().items()
        if "api_requests_total" in series and 'resource="leases"' in series
    )
    assert asked <= 6, "a look and a try each time, and a pause between"
    assert not replica.leads()
