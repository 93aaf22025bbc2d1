"""A raw GatewayCanary is read whole: its metadata, its spec or why not, its status or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.api.status import Stage
from gatewaycanary.engine.parsing import UnreadableStatusError, read
from unit.core.objects import canary


def raw(**fields: Any) -> dict[str, Any]:
    """Write a GatewayCanary as it is stored."""
    found = canary()
    return {**found, **fields, "metadata": {**found["metadata"], **fields.get("metadata", {})}}


def test_metadata() -> None:
    """All that decisions depend on, and empty words for what is not there."""
    annotations = {
        f"canary.soma.dev/{word}": f"{word}-token" for word in ("approve", "abort", "retry")
    }
    meta = read(
        raw(
            metadata={
                "generation": 7,
                "resourceVersion": "12",
                "deletionTimestamp": "2026-01-01T00:00:00Z",
                "finalizers": ["other", "canary.soma.dev/traffic"],
                "annotations": annotations,
            }
        )
    ).meta
    assert (meta.generation, meta.resource_version) == (7, "12")
    assert meta.deleting
    assert meta.finalizer
    assert (meta.approve, meta.abort, meta.retry) == ("approve-token", "abort-token", "retry-token")
    plain = read(raw()).meta
    assert not plain.deleting
    assert not plain.finalizer
    assert (plain.approve, plain.abort, plain.retry) == ("", "", "")


def test_a_brand_new_object() -> None:
    """Without a status it stands at the beginning."""
    parsed = read(raw())
    assert parsed.problems == ()
    assert parsed.spec is not None
    assert parsed.status.state.stage is Stage.RESTING


def test_a_spec_that_does_not_parse() -> None:
    """Each fault is a problem of its field, at once, and the status is read all the same."""
    wrong = {"targetRef": {"name": "web"}, "imageTag": 2, "traffic": {}, "bogus": 1}
    parsed = read(raw(spec=wrong, status={"state": {"stage": "Ramping"}}))
    assert parsed.spec is None
    assert all(problem.immediate for problem in parsed.problems)
    assert {problem.field for problem in parsed.problems} >= {"spec.bogus", "spec.imageTag"}
    assert parsed.status.state.stage is Stage.RAMPING


def test_no_spec_at_all() -> None:
    """An object that was stored before the schema is Invalid, not a crash."""
    bare = {key: value for key, value in raw().items() if key != "spec"}
    parsed = read(bare)
    assert parsed.spec is None
    assert parsed.problems


@pytest.mark.parametrize(
    ("status", "where"),
    [
        ({"state": {"stage": "Flying"}}, "status.state.stage: "),
        ({"phase": 3}, "status.phase: "),
        ({"state": []}, "status.state"),
    ],
)
def test_a_status_of_another_version(status: dict[str, Any], where: str) -> None:
    """A position that cannot be understood is refused in one line that names the field."""
    with pytest.raises(UnreadableStatusError) as refused:
        read(raw(status=status))
    assert str(refused.value).startswith(where)
    assert "\n" not in str(refused.value)


def test_unknown_fields_of_a_status_are_no_obstacle() -> None:
    """An operator that was rolled back goes on from what it knows."""
    parsed = read(raw(status={"later": 1, "state": {"stage": "Ramping", "later": {}}}))
    assert parsed.status.state.stage is Stage.RAMPING
