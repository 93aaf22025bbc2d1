"""What a log line looks like, and that nobody can write one in our name."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.core.observation import Meta
from gatewaycanary.telemetry import logs

META = Meta(uid="u1", namespace="shop", name="gateway", generation=3)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Give a stream for logs, and put the root logger back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str, facts: dict[str, object] | None = None) -> logging.LogRecord:
    """Make a record as a logger would."""
    made = logging.LogRecord("gatewaycanary.engine", logging.INFO, "", 0, message, None, None)
    if facts is not None:
        made.facts = facts
    return made


def test_text_has_time_level_logger_message_and_facts(stream: io.StringIO) -> None:
    """A decision's sentence stands beside the object that it is about."""
    logs.configure(level="info", form="text", stream=stream)
    logs.decided(logging.getLogger("gatewaycanary.engine"), META, "Raising to 25 %", weight=25)
    time, rest = stream.getvalue().split(" ", 1)
    assert time.endswith("Z")
    assert rest == "INFO    engine Raising to 25 % canary=shop/gateway weight=25\n"


def test_json_has_the_same_facts(stream: io.StringIO) -> None:
    """Collectors get one object a line with the facts as fields of their own."""
    logs.configure(level="info", form="json", stream=stream)
    logs.decided(logging.getLogger("gatewaycanary.engine"), META, "Raising to 25 %", weight=25)
    entry = json.loads(stream.getvalue())
    del entry["time"]
    assert entry == {
        "level": "info",
        "logger": "engine",
        "message": "Raising to 25 %",
        "canary": "shop/gateway",
        "weight": 25,
    }


@given(st.text(), st.text())
def test_text_is_one_line_whatever_is_logged(message: str, fact: str) -> None:
    """No message and no fact can begin a line of its own."""
    line = logs.TextFormatter().format(record(message, {"image": fact}))
    assert line.isprintable()


@given(st.text(), st.text())
def test_json_is_one_line_whatever_is_logged(message: str, fact: str) -> None:
    """Every text comes back as it was, from one line."""
    line = logs.JsonFormatter().format(record(message, {"image": fact}))
    assert line.isprintable()
    entry = json.loads(line)
    assert (entry["message"], entry["image"]) == (message, fact)


@pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
def test_a_lone_surrogate_is_no_error(formatter: logging.Formatter) -> None:
    """Bytes that were no UTF-8 can still be logged."""
    assert "ud800" in formatter.format(record("\ud800"))


def test_a_fact_with_spaces_is_quoted() -> None:
    """A value cannot pretend to be two."""
    line = logs.TextFormatter().format(record("done", {"image": "a weight=100", "empty": ""}))
    assert line.endswith('done image="a weight=100" empty=""')


def test_a_traceback_follows_marked(stream: io.StringIO) -> None:
    """Lines of a traceback cannot be taken for records."""
    logs.configure(level="info", form="text", stream=stream)
    try:
        raise ValueError("bad\nINFO engine forged")
    except ValueError:
        logging.getLogger("gatewaycanary.engine").exception("failed")
    first, *following = stream.getvalue().splitlines()
    assert first.endswith("engine failed")
    assert following
    assert all(line.startswith("| ") for line in following)


def test_a_traceback_is_a_field_in_json(stream: io.StringIO) -> None:
    """One error is one line for a collector too."""
    logs.configure(level="info", form="json", stream=stream)
    try:
        raise ValueError("bad")
    except ValueError:
        logging.getLogger("gatewaycanary.engine").exception("failed")
    assert "ValueError: bad" in json.loads(stream.getvalue())["traceback"]


def test_a_level_hides_what_is_below(stream: io.StringIO) -> None:
    """`--log-level warning` means it."""
    logs.configure(level="warning", form="text", stream=stream)
    logging.getLogger("gatewaycanary.engine").info("not shown")
    assert stream.getvalue() == ""


def test_libraries_are_quiet(stream: io.StringIO) -> None:
    """kopf's chatter is not ours to show below warning."""
    logs.configure(level="info", form="text", stream=stream)
    logging.getLogger("kopf.objects").info("not shown")
    logging.getLogger("kopf.objects").warning("shown")
    assert stream.getvalue().endswith("kopf.objects shown\n")
