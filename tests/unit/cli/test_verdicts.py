"""The exit codes of `gatewaycanary wait`, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.api.status import Phase
from gatewaycanary.cli.verdicts import (
    Code,
    Continue,
    Exit,
    FirstSeen,
    first_seen,
    judge,
    other_image,
)

IMAGE = "registry.example/gateway:2.0.0"
RETRY = "canary.soma.dev/retry"


def canary(
    phase: Phase | None = None,
    *,
    uid: str = "u1",
    generation: int = 3,
    observed: int = 3,
    image: str | None = IMAGE,
    tag: str | None = None,
    about: str = IMAGE,
    metadata: Mapping[str, Any] | None = None,
    **status: Any,
) -> dict[str, Any]:
    """Make a stored GatewayCanary."""
    spec = {key: value for key, value in (("image", image), ("imageTag", tag)) if value}
    told = {"phase": phase} if phase else {}
    return {
        "metadata": {"uid": uid, "generation": generation, **(metadata or {})},
        "spec": spec,
        "status": {"observedGeneration": observed, "canaryImage": about, **told, **status},
    }


FIRST = first_seen(canary())


def promoted(status: str) -> list[dict[str, str]]:
    """Make the conditions that say whether the image is promoted."""
    return [{"type": "Ready", "status": "True"}, {"type": "Promoted", "status": status}]


ENDS = [
    ("promoted", canary(Phase.SUCCEEDED, conditions=promoted("True")), Code.DONE),
    ("nothing to do", canary(Phase.IDLE), Code.DONE),
    ("handover reached", canary(Phase.AWAITING_HANDOVER), Code.DONE),
    ("rolled back", canary(Phase.FAILED), Code.ROLLED_BACK),
    ("stable left", canary(Phase.SUCCEEDED, conditions=promoted("False")), Code.ROLLED_BACK),
    ("invalid", canary(Phase.INVALID), Code.INVALID),
    ("invalid before its image", canary(Phase.INVALID, about="other:1"), Code.INVALID),
    ("another image", canary(Phase.SUCCEEDED, image="other:1"), Code.NOT_OURS),
    ("a tag instead", canary(Phase.SUCCEEDED, image=None, tag="2.0.0"), Code.NOT_OURS),
    ("made anew", canary(Phase.SUCCEEDED, uid="u2"), Code.NOT_OURS),
    (
        "being deleted",
        canary(Phase.SHIFTING, metadata={"deletionTimestamp": "2026-11-23T12:00:00Z"}),
        Code.NOT_OURS,
    ),
    ("deleted", None, Code.NOT_OURS),
    ("seen at a later generation", canary(Phase.IDLE, generation=5, observed=4), Code.DONE),
    (
        "a retry that was seen",
        canary(
            Phase.FAILED, metadata={"annotations": {RETRY: "again"}}, state={"retrySeen": "again"}
        ),
        Code.ROLLED_BACK,
    ),
]


@pytest.mark.parametrize(("current", "code"), [row[1:] for row in ENDS], ids=[r[0] for r in ENDS])
def test_it_ends_with_the_code(current: dict[str, Any] | None, code: Code) -> None:
    """What is settled for the caller's own change ends the wait with its code."""
    verdict = judge(FIRST, current)
    assert isinstance(verdict, Exit)
    assert verdict.code is code
    assert verdict.text


WAITS = [
    ("not yet observed", canary(Phase.SUCCEEDED, observed=2, conditions=promoted("True"))),
    ("an older failure", canary(Phase.FAILED, observed=2)),
    ("an older invalid spec", canary(Phase.INVALID, observed=2)),
    ("brand new", canary(Phase.PENDING, observed=0, about="")),
    ("the result of another image", canary(Phase.SUCCEEDED, about="registry.example/gateway:1")),
    ("the failure of another image", canary(Phase.FAILED, about="registry.example/gateway:1")),
    ("a retry to come", canary(Phase.FAILED, metadata={"annotations": {RETRY: "again"}})),
    (
        "another retry to come",
        canary(Phase.FAILED, metadata={"annotations": {RETRY: "2"}}, state={"retrySeen": "1"}),
    ),
    *(
        (phase, canary(phase))
        for phase in (
            Phase.PENDING,
            Phase.PREPARING,
            Phase.SHIFTING,
            Phase.TESTING,
            Phase.HOLDING,
            Phase.AWAITING_APPROVAL,
            Phase.PROMOTING,
            Phase.FINALIZING,
            Phase.ROLLING_BACK,
            Phase.SUSPENDED,
        )
    ),
]


@pytest.mark.parametrize("current", [row[1] for row in WAITS], ids=[row[0] for row in WAITS])
def test_it_goes_on(current: dict[str, Any]) -> None:
    """What says nothing final about the caller's own change is waited out."""
    assert isinstance(judge(FIRST, current), Continue)


def test_a_status_that_was_never_written_is_waited_out() -> None:
    """An object without any status has not been seen yet."""
    current = canary()
    del current["status"]
    assert isinstance(judge(FIRST, current), Continue)


def test_a_tag_is_bound_to_any_repository() -> None:
    """With imageTag the image that counts is the one of that tag."""
    first = first_seen(canary(image=None, tag="2.0.0"))
    done = canary(Phase.SUCCEEDED, image=None, tag="2.0.0", conditions=promoted("True"))
    other = canary(
        Phase.SUCCEEDED, image=None, tag="2.0.0", about="registry.example/gateway:12.0.0"
    )
    verdict = judge(first, done)
    assert isinstance(verdict, Exit)
    assert verdict.code is Code.DONE
    assert isinstance(judge(first, other), Continue)


@pytest.mark.parametrize(
    ("first", "image", "refused"),
    [
        (FIRST, IMAGE, False),
        (FIRST, "registry.example/gateway:3.0.0", True),
        (first_seen(canary(image=None, tag="2.0.0")), IMAGE, False),
        (first_seen(canary(image=None, tag="0.0")), IMAGE, True),
    ],
)
def test_an_image_that_is_not_asked_for_is_refused(
    first: FirstSeen, image: str, refused: bool
) -> None:
    """`--image` guards against waiting for what somebody else has applied meanwhile."""
    verdict = other_image(first, image)
    assert (verdict is not None and verdict.code is Code.NOT_OURS) is refused


def test_the_failed_test_s_log_is_told_safely() -> None:
    """The end of the failed test's log is shown; it cannot drive the terminal."""
    tests = [
        {"name": "up", "verdict": "Passed", "logTail": "fine"},
        {"name": "smoke", "verdict": "Failed", "logTail": "GET /\n\x1b[2J500"},
    ]
    verdict = judge(FIRST, canary(Phase.FAILED, message="TestFailed: smoke", tests=tests))
    assert isinstance(verdict, Exit)
    assert verdict.text == (
        "rolled back: TestFailed: smoke\nlog of test smoke:\n  GET /\n  \\x1b[2J500"
    )


def test_the_line_says_where_it_stands() -> None:
    """Phase, step, weight and message stand on the line of a transition."""
    verdict = judge(FIRST, canary(Phase.TESTING, step="3/6", weight=25, message="run 1"))
    assert verdict == Continue(line="Testing             3/6    25 %  run 1")


@given(phase=st.sampled_from(Phase), observed=st.integers(0, 5), message=st.text(), about=st.text())
def test_a_verdict_is_one_line_of_printable_text(
    phase: Phase, observed: int, message: str, about: str
) -> None:
    """Whatever a status says, its verdict can be shown on one line."""
    verdict = judge(FIRST, canary(phase, observed=observed, message=message, about=about))
    text = verdict.text if isinstance(verdict, Exit) else verdict.line
    assert text.isprintable()
