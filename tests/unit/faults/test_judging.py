"""What a run may cost, and what its report says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faults import costs, reports, requests
from faults.judgements import judge
from faults.kinds import Fault
from faults.ledgers import Ledger, Stroke
from faults.plans import Injection
from faults.reports import Run
from faults.requests import Request
from faults.rollouts import Outcome
from faults.scenarios import scenario
from gatewaycanary.core.naming import OWNER_LABEL, RUN_LABEL
from proving.histories import Record
from proving.timelines import CANARY, WEIGHT

PODS = "/api/v1/namespaces/a/pods"
LIST, CREATE = requests.read("GET", PODS), requests.read("POST", PODS)
WATCH = requests.read("GET", PODS, query={"watch": "true"})
LEASE = requests.read("PATCH", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b")
SCENARIO = scenario(17, "istio")
PLAIN = Outcome(
    shape=SCENARIO.shape,
    seconds=3.0,
    phase="Succeeded",
    requests=60,
    effects=30,
    restarts=0,
    files=30,
    memory=70,
    revert=None,
    counts={},
    strokes=[],
)


def stroke(request: Request, fault: Fault, *, at: float = 0.0, seconds: float = 2.0) -> Stroke:
    """Make a fault that struck."""
    return Stroke(
        request=request, number=0, injection=Injection(fault=fault, seconds=seconds), at=at
    )


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"requests": 180, "effects": 90}, []),
        ({"requests": 181}, ["181 requests, more than 3 × 60"]),
        ({"effects": 91}, ["91 writes, more than 3 × 30"]),
        ({"files": 51}, ["51 open files, 30 without faults"]),
        ({"memory": 101}, ["101 MiB, 70 without faults"]),
        ({"troubles": ["it is Failed"]}, ["it is Failed"]),
    ],
)
def test_judging(change: dict[str, Any], wrong: list[str]) -> None:
    """A run is measured against the one without faults."""
    assert judge(replace(PLAIN, **change), PLAIN) == wrong


def test_counting() -> None:
    """Watches and the Lease are left out; reads are no writes."""
    ledger = Ledger()
    for request in (LIST, WATCH, LEASE, CREATE, CREATE):
        ledger.note(request)
    assert (ledger.requests(), ledger.effects()) == (3, 2)


def test_haste() -> None:
    """A request that comes again before its Retry-After is noted once; others are not."""
    ledger = Ledger()
    ledger.strike(
        Stroke(request=CREATE, number=0, injection=Injection(fault=Fault.THROTTLED, seconds=60.0))
    )
    for request in (LIST, CREATE, CREATE):
        ledger.note(request)
    assert ledger.hasty() == [CREATE]


def test_who_must_not_hurry() -> None:
    """A Lease is renewed in time, and of two watches one does not know of the other's 429."""
    canaries = "/apis/canary.soma.dev/v1alpha1/namespaces/a/gatewaycanaries"
    watch = requests.read("GET", canaries, query={"watch": "true"})
    assert costs.too_hasty([LEASE, watch, CREATE]) == [CREATE]


def test_lists_that_nothing_explains() -> None:
    """A start, a 410 and a failed list explain one list each; a broken stream explains none."""
    counts = {("list", "pods"): 4, ("watch", "pods"): 9, ("list", "secrets"): 5}
    struck = [stroke(WATCH, Fault.GONE), stroke(WATCH, Fault.CUT), stroke(LIST, Fault.BROKEN)]
    assert costs.needless_lists(counts, struck, starts=1) == {"pods": 1}
    assert costs.needless_lists(counts, struck, starts=2) == {}


def test_what_delays_a_revert() -> None:
    """Each fault within the time, or just before it, explains as much as it costs."""
    struck = [
        stroke(CREATE, Fault.SILENT_AFTER, at=95.0),
        stroke(CREATE, Fault.THROTTLED, at=101.0, seconds=3.0),
        stroke(CREATE, Fault.BROKEN, at=102.0),
        stroke(CREATE, Fault.SILENT_AFTER, at=80.0),
        stroke(CREATE, Fault.SILENT_AFTER, at=120.0),
    ]
    assert costs.explained(struck, 100.0, 110.0, restarts=0) == costs.ALONE + 12.0 + 3.0 + 2.0
    assert costs.explained([], 100.0, 110.0, restarts=1) == costs.ALONE + costs.RESTART


def record(kind: str, at: float, labels: dict[str, str], **content: Any) -> Record:
    """Make a stored version."""
    notes = content.pop("annotations", {})
    metadata = {"name": "x", "labels": labels, "annotations": notes}
    return Record(
        version=int(at), at=at, kind=kind, name="x", object={"metadata": metadata, **content}
    )


def test_how_long_a_revert_took() -> None:
    """It lasts from the failed test pod to weight 0; for ever where that never came."""
    failed = record("Pod", 5.0, {RUN_LABEL: "r"}, status={"phase": "Failed"})
    owner = {OWNER_LABEL: "u"}
    raised = record("Ingress", 2.0, owner, annotations={CANARY: "true", WEIGHT: "50"})
    home = record("Ingress", 7.0, owner, annotations={CANARY: "true", WEIGHT: "0"})
    assert costs.revert([raised, failed, home]) == (5.0, 7.0)
    assert costs.revert([raised, failed]) == (5.0, float("inf"))
    assert costs.revert([raised, home]) is None


def test_the_report_of_a_failure(tmp_path: Path) -> None:
    """It names the seed, the faults in order, and the command that has it again."""
    struck = [str(stroke(CREATE, Fault.CONFLICT)), str(stroke(LIST, Fault.SLOW))]
    outcome = replace(PLAIN, strokes=struck, requests=90)
    run = Run(scenario=SCENARIO, outcome=outcome, plain=PLAIN, wrong=["it is wrong"])
    told = reports.failure(run)
    assert "it is wrong" in told
    assert told.index(struck[0]) < told.index(struck[1])
    assert "make faults SEED=17 PROVIDER=istio" in told
    assert "FAIL seed  17" in reports.line(run)
    assert "1.5 (max 1.5)" in reports.table([run])
    reports.write(tmp_path / "faults.json", [run])
    written = json.loads((tmp_path / "faults.json").read_text())
    assert written["faults"] == {"CONFLICT": 1, "SLOW": 1}
    assert (written["runs"], written["right"]) == (1, 0)
    assert written["each"][0]["wrong"] == ["it is wrong"]
