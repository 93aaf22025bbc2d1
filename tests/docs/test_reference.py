"""The reference pages tell all that the code can say, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

import generate
import recording
from docs.documents import ROOT
from gatewaycanary.api.status import Phase, Status

PACKAGE = ROOT / "operator" / "gatewaycanary"
STATUS = (ROOT / "docs" / "reference" / "status.md").read_text()


@pytest.mark.parametrize("name", generate.GENERATED)
def test_generated_files_are_up_to_date(name: str) -> None:
    """What is generated from the code says what the code says."""
    assert (ROOT / name).read_text() == generate.GENERATED[name]()


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_explained(phase: Phase) -> None:
    """Each phase has a row."""
    assert re.search(rf"^\| `{phase}` \|", STATUS, flags=re.MULTILINE)


@pytest.mark.parametrize("field", list(Status.__dataclass_fields__))
def test_every_field_of_the_status_is_explained(field: str) -> None:
    """Each field stands in the table of fields, as it is spelled in YAML."""
    words = field.split("_")
    assert f"`{words[0] + ''.join(word.title() for word in words[1:])}`" in STATUS


def test_every_reason_is_explained() -> None:
    """Each reason that stands in the code stands in the page."""
    assert set(reasons()) - set(told()) == set()


def test_no_reason_is_made_up() -> None:
    """Each reason of the page is a word of the code."""
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert {reason for reason in told() if f'"{reason}"' not in code} == set()


def told() -> list[str]:
    """Give the reasons that the page explains: the words of its tables' first cells."""
    section = STATUS.partition("## Reasons")[2]
    cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]


def reasons() -> Iterator[str]:
    """Find what is given as a reason anywhere in the code."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            for value in _given(node):
                yield from (
                    one.value
                    for one in ast.walk(value)
                    if isinstance(one, ast.Constant)
                    and isinstance(one.value, str)
                    and re.fullmatch(r"[A-Z][A-Za-z]+", one.value)
                )


def _given(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.keyword) and node.arg == "reason":
        yield node.value
    if isinstance(node, ast.Assign):
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if "reason" in names:
            yield node.value
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_problem":
        yield from node.args[:1]


def test_a_recording_is_embedded_as_a_terminal_shows_it() -> None:
    """Rewritten lines stand there once, and control codes not at all."""
    readme = "a\n<!-- demo:begin (x) -->\nold\n<!-- demo:end -->\nb\n"
    shown = recording.embedded(readme, "step 1 …\r\x1b[Kstep 1 done\n\n  PROMOTED\n")
    assert shown == (
        "a\n<!-- demo:begin (x) -->\n```text\n$ make demo\nstep 1 done\n\n  PROMOTED\n```\n"
        "<!-- demo:end -->\nb\n"
    )


def test_the_readme_has_a_place_for_the_recording() -> None:
    """The marks between which the demo's output stands are there."""
    assert "PROMOTED x" in recording.embedded((ROOT / "README.md").read_text(), "PROMOTED x")
