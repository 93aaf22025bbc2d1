"""A failed test's log ends up in a status: the right container's, short, and plain text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.helmtests import logs
from unit.helmtests.objects import Json, ended, pod, running, waiting


def test_last_lines() -> None:
    """The last twenty lines that say anything are kept, in order."""
    log = "".join(f"line {number}\n\n" for number in range(100))
    assert logs.tail(log).split("\n") == [f"line {number}" for number in range(80, 100)]


def test_long_lines() -> None:
    """What is too long keeps its end, and says that something is missing."""
    text = logs.tail("x" * 5000 + "END")
    assert len(text) == logs.MAX_LENGTH
    assert text.startswith("…")
    assert text.endswith("END")


@pytest.mark.parametrize(
    ("log", "text"),
    [
        ("\x1b[31mred\x1b[0m plain", "red plain"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://host\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("one\r\ntwo\r\n", "one\ntwo"),
        (" 10 %\r 50 %\r100 %\n", "100 %"),
        ("a\tb", "a    b"),
        ("right\u202eleft", "rightleft"),
        ("grüße ✓", "grüße ✓"),
        ("", logs.SILENT),
        ("\n \n\x1b[0m\n", logs.SILENT),
    ],
)
def test_plain_text(log: str, text: str) -> None:
    """Colours, cursor moves and control characters are gone; what people read is there."""
    assert logs.tail(log) == text


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters() | st.sampled_from("\x1b\r\n[]m0;\x07\\"), max_size=400))
def test_tail_is_always_printable(log: str) -> None:
    """Whatever a test writes, the tail is short, not empty and cannot steer a terminal."""
    text = logs.tail(log)
    assert 0 < len(text) <= logs.MAX_LENGTH
    assert text.count("\n") < logs.MAX_LINES
    assert not any(unicodedata.category(char) == "Cc" for char in text if char != "\n")


@pytest.mark.parametrize(
    ("found", "container"),
    [
        (pod(containers=[ended("ok"), ended("bad", code=2)]), "bad"),
        (pod(init=[ended("setup", code=1)], containers=[waiting("PodInitializing")]), "setup"),
        (pod(containers=[ended("proxy"), waiting("CrashLoopBackOff", restarts=3)]), "test"),
        (pod(containers=[running("hung")], init=[ended("setup")]), "hung"),
        (pod(containers=[ended("ok")]), "ok"),
    ],
)
def test_source(found: Json, container: str) -> None:
    """The first container that failed tells most, then one that crashed before, then any."""
    assert logs.source(found) == logs.LogSource(pod="pod", container=container)


@pytest.mark.parametrize(
    "found", [pod("Pending", containers=[waiting("ErrImagePull")]), {"metadata": {"name": "new"}}]
)
def test_no_source(found: Json) -> None:
    """A pod of which no container ever ran has no log."""
    assert logs.source(found) is None
