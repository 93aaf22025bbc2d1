"""What is wrong, what is excused, and by what."""

from __future__ import annotations

from typing import Any

import pytest

from chaos import verdicts
from chaos.outages import RECOVERY, windows
from chaos.plans import Fault, Image, Plan
from chaos.verdicts import End
from chaos.windows import GRACE, Away, Window
from proving.histories import Record
from proving.streams import Answer


def plan(image: Image) -> Plan:
    """Plan a rollout of an image."""
    return Plan(number=1, provider="nginx", image=image, breaks_at=10, fault=Fault.NONE)


def end(phase: str, stable: str, reason: str = "", **further: Any) -> End:
    """Write an end at time 15."""
    return End(phase=phase, stable=stable, reason=reason, at=15.0, **further)


def window(away: Away) -> Window:
    """Give a window from 10 to 20."""
    return Window(away=away, began=10.0, ended=20.0)


def answer(began: float, trouble: str) -> Answer:
    """Give an answer that took 0.1 s."""
    return Answer(began=began, ended=began + 0.1, trouble=trouble)


NODE = [window(Away.NODE)]
GONE = "CanaryUnavailable"


@pytest.mark.parametrize(
    ("image", "found", "spans", "right", "excuse"),
    [
        (Image.GOOD, end("Succeeded", "2.0.0"), [], True, False),
        (Image.GOOD, end("Succeeded", "1.0.0"), [], False, False),
        (Image.GOOD, end("Failed", "1.0.0", "TestFailed"), NODE, False, False),
        (Image.GOOD, end("Failed", "1.0.0", GONE), [], False, False),
        (Image.GOOD, end("Failed", "1.0.0", GONE), [window(Away.CONTROL)], False, False),
        (Image.GOOD, end("Failed", "1.0.0", GONE), NODE, True, True),
        (Image.GOOD, end("Failed", "2.0.0", GONE), NODE, False, False),
        (Image.GOOD, end("Testing", "1.0.0", late=True), [], False, False),
        (Image.BROKEN, end("Failed", "1.0.0", "TestFailed"), [], True, False),
        (Image.BROKEN, end("Failed", "3.0.0", "TestFailed"), [], False, False),
        (Image.BROKEN, end("Succeeded", "3.0.0"), NODE, False, False),
    ],
)
def test_ends(image: Image, found: End, spans: list[Window], *, right: bool, excuse: bool) -> None:
    """Only the canary's pods taken by a fault excuse another end."""
    wrong, excused = verdicts.wrong_end(plan(image), found, spans)
    assert (not wrong, bool(excused)) == (right, excuse)


def test_a_first_image_may_have_been_promoted() -> None:
    """A bad one that follows it leaves stable as it then was."""
    found = end("Failed", "2.0.0", "TestFailed")
    assert verdicts.wrong_end(plan(Image.BROKEN), found, [], stable="2.0.0") == ("", "")
    assert verdicts.wrong_end(plan(Image.BROKEN), found, [])[0]


def test_requests_are_lost_unless_a_window_touches_them() -> None:
    """From its beginning to its end and the grace; an API server's absence excuses none."""
    times = (9.0, 9.95, 19.0, 20.0 + GRACE - 0.01, 20.0 + GRACE + 0.01)
    lost = [answer(at, "502 Bad Gateway") for at in times]
    told = verdicts.losses(plan(Image.GOOD), lost, [window(Away.TRAFFIC)])
    assert (told.excused, len(told.lost)) == (3, 2)
    told = verdicts.losses(plan(Image.GOOD), lost, [window(Away.CONTROL)])
    assert (told.excused, len(told.lost)) == (0, 5)


def test_an_erring_canary_answers_for_itself() -> None:
    """An empty answer is its own; a data plane's has words, and no other image errs so."""
    lost = [answer(1.0, "500 "), answer(1.0, "409 "), answer(1.0, "500 Internal Server Error")]
    told = verdicts.losses(plan(Image.ERRING), lost, [])
    assert (told.own, len(told.lost)) == (2, 1)
    assert len(verdicts.losses(plan(Image.BROKEN), lost, []).lost) == 3


def test_a_verdict_is_read_as_it_was_stored() -> None:
    """Nothing is lost between two calls."""
    made = verdicts.Verdict(
        number=1,
        fault="NONE",
        outage="API",
        provider="nginx",
        good=True,
        phase="Succeeded",
        breaches=("one", "two"),
    )
    assert verdicts.Verdict.read(made.stored()) == made
    assert not made.well


def node(at: float, ready: str) -> Record:
    """Give a stored node."""
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    item = {"metadata": {"name": "n"}, "status": status}
    return Record(version=int(at), at=at, kind="Node", name="n", object=item)


def test_a_node_that_is_not_ready_is_away() -> None:
    """From the first word of it until it is ready again and its pods may be."""
    seen = [node(1, "True"), node(5, "Unknown"), node(6, "Unknown"), node(9, "True")]
    assert windows(seen, 99.0) == [Window(away=Away.NODE, began=5.0, ended=9.0 + RECOVERY)]
    assert windows(seen[:3], 99.0) == [Window(away=Away.NODE, began=5.0, ended=99.0)]
