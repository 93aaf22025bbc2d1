"""What the API server makes of a GatewayCanary that it takes: defaults, status, columns."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client

from gatewaycanary.api.crd import NAME
from gatewaycanary.api.status import (
    Condition,
    Failure,
    HelmTestResult,
    Outcome,
    Phase,
    Stage,
    State,
    Status,
    StepRecord,
    Verdict,
    dump_status,
    parse_status,
)
from integration.api.canaries import Canaries
from integration.api.cases import BASE, changed, suite

pytestmark = pytest.mark.apiserver

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

FULL = Status(
    observed_generation=3,
    phase=Phase.SHIFTING,
    state=State(
        ordinal=2,
        stage=Stage.RAMPING,
        outcome=Outcome.FAILED,
        revision="5f1c-2",
        entered_at=NOON,
        releases=("sh.helm.release.v1.soma.v3",),
    ),
    provider="nginx",
    step="3/6",
    target_weight=25,
    weight=10,
    revision="5f1c-2",
    stable_image="registry.example/soma-gateway:1.0.0",
    canary_image="registry.example/soma-gateway:2.0.0",
    started_at=NOON,
    step_started_at=NOON,
    completed_at=NOON,
    message="raising the weight from 10 to 25",
    tests_summary="2/2",
    tests=(
        HelmTestResult(name="smoke", verdict=Verdict.PASSED, duration_seconds=1.5, log_tail="ok"),
    ),
    history=(StepRecord(weight=5, entered_at=NOON, left_at=NOON, tests_passed=1),),
    failure=Failure(reason="TestFailed", message="smoke", step="3/6", weight=25, test="smoke"),
    conditions=(
        Condition(type="Ready", status="False", reason="Shifting", last_transition_time=NOON),
    ),
)


def with_status(stored: dict[str, Any], status: Status) -> dict[str, Any]:
    """Give the object with another status."""
    return stored | {"status": dump_status(status)}


def test_defaults_are_shown(canaries: Canaries) -> None:
    """What a user leaves out stands in the stored object, as documented."""
    spec = canaries.create(changed(BASE, suite()))["spec"]
    assert spec == {
        **BASE,
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "soma-gateway"},
        "traffic": {"nginx": {"ingress": "soma-gateway"}, "settle": "5s"},
        "steps": [{"weight": weight} for weight in (5, 10, 25, 50, 75, 100)],
        "canary": {
            "replicas": "Proportional",
            "scaleDownDelay": "30s",
            "allowPolicyGap": False,
        },
        "tests": [
            {"helm": {"release": "soma"}, "target": "canary", "timeout": "5m", "attempts": 1}
        ],
        "progressDeadline": "10m",
        "promotion": {"mode": "Automatic"},
        "suspend": False,
    }


def test_a_new_object_counts_as_in_progress(canaries: Canaries) -> None:
    """Before anybody has written a status, it reads as Pending, not yet observed."""
    created = canaries.create(BASE)
    pending = {"observedGeneration": 0, "phase": "Pending"}
    assert created["status"] == pending
    assert canaries.read(created["metadata"]["name"])["status"] == pending
    assert created["metadata"]["generation"] == 1
    assert parse_status(pending) == Status()


def test_a_user_cannot_write_the_status(canaries: Canaries) -> None:
    """An edit of the object leaves its status alone."""
    stored = canaries.replace_status(with_status(canaries.create(BASE), FULL))
    edited = changed(stored, {"spec": {"suspend": True}, "status": {"phase": "Succeeded"}})
    answer = canaries.replace(edited)
    assert answer["spec"]["suspend"] is True
    assert answer["status"] == stored["status"]
    assert answer["metadata"]["generation"] == 2


def test_the_operator_cannot_write_the_spec_by_the_status(canaries: Canaries) -> None:
    """A status write leaves spec and generation alone."""
    stored = canaries.create(BASE)
    answer = canaries.replace_status(
        changed(with_status(stored, FULL), {"spec": {"suspend": True}})
    )
    assert answer["spec"] == stored["spec"]
    assert answer["metadata"]["generation"] == 1
    assert answer["status"]["phase"] == "Shifting"


def test_every_field_of_the_status_survives(canaries: Canaries) -> None:
    """Nothing that the operator records is pruned or refused."""
    stored = canaries.replace_status(with_status(canaries.create(BASE), FULL))
    assert stored["status"] == dump_status(FULL)
    assert parse_status(stored["status"]) == FULL


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_can_be_stored(canaries: Canaries, phase: Phase) -> None:
    """The schema knows each phase that the operator writes."""
    stored = canaries.create(BASE)
    answer = canaries.replace_status(with_status(stored, replace(FULL, phase=phase)))
    assert answer["status"]["phase"] == phase


def _lines(kubectl: tuple[str, ...], canaries: Canaries, *arguments: str) -> list[str]:
    said = subprocess.run(
        [*kubectl, "-n", canaries.namespace, "get", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.splitlines()


def test_kubectl_get_shows_the_rollout(canaries: Canaries, kubectl: tuple[str, ...]) -> None:
    """The columns that people watch, in their order, under name, short name and `all`."""
    stored = canaries.create(BASE, name="watched")
    canaries.replace_status(with_status(stored, FULL))
    header, row = _lines(kubectl, canaries, "gatewaycanary", "watched")
    assert header.split() == [
        *("NAME", "PHASE", "STEP", "WEIGHT", "TESTS", "IMAGE", "MESSAGE", "AGE"),
    ]
    shown = ("watched", "Shifting", "3/6", "10", "2/2", FULL.canary_image, FULL.message)
    assert row.split()[:-1] == " ".join(shown).split()
    assert _lines(kubectl, canaries, "gwc", "watched", "--no-headers")[0].startswith("watched ")
    assert any(
        "gatewaycanary.canary.soma.dev/watched" in line for line in _lines(kubectl, canaries, "all")
    )


def test_kubectl_get_wide_adds_the_other_side(canaries: Canaries, kubectl: tuple[str, ...]) -> None:
    """The wide table adds provider, stable's image and the start."""
    stored = canaries.create(BASE, name="wide")
    canaries.replace_status(with_status(stored, FULL))
    header, row = _lines(kubectl, canaries, "gwc", "wide", "-o", "wide")
    assert header.split()[-3:] == ["PROVIDER", "STABLE", "STARTED"]
    assert row.split()[-3:-1] == ["nginx", FULL.stable_image]


def test_kubectl_explains_the_fields(canaries: Canaries, kubectl: tuple[str, ...]) -> None:
    """Each field carries its description into `kubectl explain`."""
    said = subprocess.run(
        [*kubectl, "explain", "gatewaycanary.spec.tests"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "The time for one attempt at all of the release's tests." in said
    assert "enum: canary, stable, gateway" in said


def test_the_schema_is_structural(api_client: client.ApiClient) -> None:
    """The API server has nothing to say against the CRD."""
    status = client.ApiextensionsV1Api(api_client).read_custom_resource_definition(NAME).status
    assert status is not None
    conditions = {each.type: each.status for each in status.conditions or ()}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
