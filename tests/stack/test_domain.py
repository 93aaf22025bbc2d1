"""The pure parts: envelopes, tools, answers and how faults are spread."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.domain import answers, tools
from soma.domain.answers import ToolCall, ToolResult
from soma.domain.envelopes import Envelope, MalformedError, parse
from soma.domain.faults import Faults

QUICK = settings(deadline=None, max_examples=50)
JSON = st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none())


@QUICK
@given(body=JSON, identity=st.uuids())
def test_an_envelope_comes_out_as_it_went_in(body: dict[str, object], identity: object) -> None:
    """Whatever a body holds, a stream changes nothing in it."""
    envelope = Envelope(id=uuid4(), body=body)
    assert parse(envelope.fields()) == envelope


@QUICK
@given(fields=st.dictionaries(st.sampled_from(["id", "body", "x"]), st.text()))
def test_what_is_no_envelope_is_malformed(fields: dict[str, str]) -> None:
    """No entry raises anything but MalformedError."""
    with pytest.raises(MalformedError):
        parse(fields)


def test_a_text_that_is_missing_is_malformed() -> None:
    """The name of what is missing is told."""
    with pytest.raises(MalformedError, match="'text'"):
        Envelope(id=uuid4(), body={"text": 1}).text("text")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * -3", "-9"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0.333333"),
        ("7/7", "1"),
    ],
)
def test_an_expression_is_worked_out_exactly(expression: str, value: str) -> None:
    """Fractions are kept until the result is written."""
    assert tools.run("calculate", expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        *("", "a", "f(1)", "True", "'a' * 9", "1;2", "[1]", "(" * 150),
        *("1 / 0", "2 ** 9", "9" * 300, "1e400", "1" + "*9999999999" * 5),
    ],
)
def test_anything_else_is_refused_with_a_reason(expression: str) -> None:
    """Nothing is run, grown without bound, or failed without words."""
    with pytest.raises(tools.ToolError):
        tools.run("calculate", expression)


@QUICK
@given(expression=st.text(alphabet="0123456789+-*/(). eE_", max_size=40))
def test_no_expression_raises_anything_else(expression: str) -> None:
    """A tool gives a result or says why not."""
    try:
        told = tools.run("calculate", expression)
    except tools.ToolError as error:
        told = str(error)
    assert told


def test_the_other_tools() -> None:
    """Words are counted, texts turned round, unknown tools refused."""
    assert tools.run("count", " a b\nc ") == "3"
    assert tools.run("reverse", "abc") == "cba"
    with pytest.raises(tools.ToolError, match="no tool 'sing'"):
        tools.run("sing", "")


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("What is 6 * 7?", ToolCall(name="calculate", argument="6 * 7")),
        ("calculate 1+1", ToolCall(name="calculate", argument="1+1")),
        ("count: a b", ToolCall(name="count", argument="a b")),
        ("count the words of: a b", ToolCall(name="count", argument="a b")),
        ("Reverse: abc", ToolCall(name="reverse", argument="abc")),
        ("hello", None),
    ],
)
def test_the_tool_that_a_text_asks_for(text: str, call: ToolCall | None) -> None:
    """A text names its tool, or needs none."""
    assert answers.wanted(text) == call


def test_the_words_of_an_answer() -> None:
    """A result, a refusal, a memory, an empty memory, a note."""
    good, bad = ToolResult(text="42", ok=True), ToolResult(text="no", ok=False)
    assert answers.composed("x", result=good, kept=[]) == "The answer is 42."
    assert answers.composed("x", result=bad, kept=[]) == "That failed: no."
    recall = "What did I say?"
    assert answers.composed(recall, result=None, kept=["a", "b"]) == "You said: a; b."
    assert answers.composed(recall, result=None, kept=[]) == "You said nothing yet."
    assert answers.composed("tea", result=None, kept=["a"]) == "I have noted: tea"


@QUICK
@given(rate=st.floats(0, 1), count=st.integers(0, 300))
def test_faults_are_spread_evenly(rate: float, count: int) -> None:
    """Of so many things just the share fails, less than one more or fewer."""
    faults = Faults(error_rate=rate)
    assert abs(sum(faults.strikes(number + 1) for number in range(count)) - count * rate) < 1


def test_no_rate_strikes_never_and_a_whole_one_always() -> None:
    """0 and 1 are exact."""
    assert not any(Faults(error_rate=0).strikes(number) for number in range(1, 100))
    assert all(Faults(error_rate=1).strikes(number) for number in range(1, 100))
