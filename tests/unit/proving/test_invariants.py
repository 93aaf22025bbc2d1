"""The judges of the end-to-end tests: each passes a proper rollout and catches its own breach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gatewaycanary.core.naming import OWNER_LABEL, REVISION_LABEL, RUN_LABEL, WITHDRAWN_ANNOTATION
from proving import invariants
from proving.histories import Record
from proving.timelines import CANARY, WEIGHT

REVISION = "abc-1"
UID = "u-1"


def record(version: int, kind: str, name: str, **item: Any) -> Record:
    """Build a record; metadata gets its name."""
    item["metadata"] = {"name": name, **item.get("metadata", {})}
    return Record(version=version, at=version / 1000, kind=kind, name=name, object=item)


def canary(version: int, *, announced: int, recorded: int, **state: Any) -> Record:
    """Build a stored GatewayCanary."""
    position = {
        "announced": announced,
        "recorded": recorded,
        "revision": REVISION,
        "stage": "Ramping",
        "baselineReplicas": 1,
        **state,
    }
    return record(
        version,
        "GatewayCanary",
        "gateway",
        metadata={"uid": UID},
        spec={"targetRef": {"name": "gateway"}, "tests": [{"helm": {"release": "shop"}}]},
        status={
            "state": position,
            "stableImage": "app:1",
            "conditions": [{"type": "Reconciling", "status": "True"}],
        },
    )


def ingress(version: int, weight: int, **annotations: str) -> Record:
    """Build a stored canary Ingress."""
    found = {CANARY: "true", WEIGHT: str(weight), **annotations}
    metadata = {"labels": {OWNER_LABEL: UID}, "annotations": found}
    return record(version, "Ingress", "gateway-canary", metadata=metadata)


def endpoints(version: int, service: str, ready: int, pod: str = "some-pod") -> Record:
    """Build a stored EndpointSlice."""
    one = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "targetRef": {"name": pod}}
    labels = {"kubernetes.io/service-name": service}
    return record(
        version, "EndpointSlice", service, metadata={"labels": labels}, endpoints=[one] * ready
    )


def probe(version: int, weight: int, phase: str, run: str = "1", uid: str = "p-1") -> Record:
    """Build a stored test pod."""
    labels = {OWNER_LABEL: UID, RUN_LABEL: run, REVISION_LABEL: REVISION}
    env = [{"name": "GATEWAYCANARY_WEIGHT", "value": str(weight)}]
    return record(
        version,
        "Pod",
        f"test-{uid}",
        metadata={"labels": labels, "uid": uid},
        spec={"containers": [{"env": env}]},
        status={"phase": phase},
    )


def stable(version: int, image: str, manager: str = "helm") -> Record:
    """Build a stored stable Deployment, its image held by a manager."""
    return record(
        version,
        "Deployment",
        "gateway",
        metadata={"managedFields": [{"manager": manager, "fieldsV1": {"f:image": {}}}]},
        spec={"template": {"spec": {"containers": [{"image": image}]}}},
    )


def proper() -> list[Record]:
    """Give a rollout as it must be: 50 %, a test, 100 %, a test, the promotion, the end."""
    return [
        stable(1, "app:1"),
        endpoints(2, "gateway", 1),
        endpoints(3, "gateway-canary", 1),
        canary(10, announced=50, recorded=0),
        ingress(11, 50),
        probe(12, 50, "Running"),
        probe(13, 50, "Succeeded"),
        canary(20, announced=100, recorded=50),
        ingress(21, 100),
        probe(22, 100, "Running", run="2", uid="p-2"),
        probe(23, 100, "Succeeded", run="2", uid="p-2"),
        canary(30, announced=100, recorded=100, stage="Promoting"),
        stable(31, "app:2", manager="gatewaycanary"),
        canary(40, announced=0, recorded=100, stage="Finalizing"),
        ingress(41, 0),
        replace(ingress(42, 0), deleted=True),
    ]


def without(*versions: int) -> list[Record]:
    """Leave records out of the proper rollout."""
    return [each for each in proper() if each.version not in versions]


def with_these(*records: Record) -> list[Record]:
    """Put records into the proper rollout; one of the same version replaces what was there."""
    versions = {each.version for each in records}
    kept = [each for each in proper() if each.version not in versions]
    return sorted([*kept, *records], key=lambda each: each.version)


def test_a_proper_rollout_breaks_nothing() -> None:
    """No judge complains about a rollout that is as it must be."""
    assert invariants.breaches(proper()) == []


Judge = Callable[[Sequence[Record]], list[str]]
OURS = {"managedFields": [{"manager": "gatewaycanary"}]}
BREACHES: list[tuple[str, Judge, list[Record]]] = [
    ("raised before announced", invariants.unannounced_raises, without(20)),
    ("announced without a test", invariants.ungated_announcements, without(13)),
    (
        "raised again after failing",
        invariants.raises_after_failure,
        with_these(canary(15, announced=0, recorded=0, outcome="Failed"), ingress(16, 0)),
    ),
    (
        "raised again after withdrawal",
        invariants.raises_after_failure,
        with_these(ingress(16, 0, **{WITHDRAWN_ANNOTATION: REVISION})),
    ),
    ("raised without pods", invariants.raises_without_capacity, without(3)),
    (
        "returned to an empty stable",
        invariants.moves_to_an_empty_side,
        with_these(endpoints(35, "gateway", 0)),
    ),
    (
        "two runs at once",
        invariants.test_runs_side_by_side,
        with_these(probe(12, 50, "Running"), probe(13, 50, "Running", run="2", uid="p-9")),
    ),
    ("promoted early", invariants.early_promotions, without(30)),
    (
        "deleted what is not ours",
        invariants.foreign_deletions,
        with_these(replace(stable(33, "app:2"), deleted=True)),
    ),
    (
        "wrote the user's Ingress",
        invariants.foreign_route_writes,
        [
            record(
                1, "Ingress", "gateway", metadata={"managedFields": [{"manager": "gatewaycanary"}]}
            )
        ],
    ),
    (
        "ready and at work",
        invariants.confused_conditions,
        [
            record(
                1,
                "GatewayCanary",
                "gateway",
                metadata={"uid": UID},
                spec={},
                status={
                    "conditions": [
                        {"type": "Ready", "status": "True"},
                        {"type": "Reconciling", "status": "True"},
                    ]
                },
            )
        ],
    ),
    (
        "a test pod took traffic",
        invariants.tests_as_endpoints,
        with_these(endpoints(14, "gateway", 1, pod="test-p-1")),
    ),
]


@pytest.mark.parametrize(
    ("judge", "records"), [each[1:] for each in BREACHES], ids=[each[0] for each in BREACHES]
)
def test_each_judge_catches_its_breach(judge: Judge, records: list[Record]) -> None:
    """A judge that could not see the breach it is for would prove nothing."""
    told = judge(records)
    assert told
    assert set(told) <= set(invariants.breaches(records))


def test_what_a_person_did_is_nobodys_breach() -> None:
    """A weight that was raised by hand is not held against the operator."""
    by_hand = [replace(each, by_hand=each.version == 14) for each in with_these(ingress(14, 77))]
    assert invariants.unannounced_raises(by_hand) == []
