"""Every example in the documents works as it stands there."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from docs.documents import ROOT, Block, blocks, canaries, commands
from gatewaycanary.api.spec import parse
from gatewaycanary.cli import parsing
from gatewaycanary.core import naming

OURS = {
    naming.APPROVE_ANNOTATION,
    naming.ABORT_ANNOTATION,
    naming.RETRY_ANNOTATION,
    naming.CANARY_LABEL,
}


def place(value: object) -> str | None:
    """Name an example by where it stands."""
    return str(value) if isinstance(value, Block | str) else None


@pytest.mark.parametrize("block", blocks("yaml"), ids=place)
def test_yaml_is_yaml(block: Block) -> None:
    """Every YAML block parses, and what is an object says what it is."""
    for document in yaml.safe_load_all(block.text):
        assert isinstance(document, dict)
        assert {"apiVersion", "kind", "metadata"} <= set(document)


@pytest.mark.parametrize(("where", "canary"), canaries(), ids=place)
def test_a_gatewaycanary_is_valid(where: str, canary: dict[str, Any]) -> None:
    """Every GatewayCanary in the documents is one that the operator would take."""
    assert where
    assert parse(canary["spec"]).weights[-1] == 100


def test_there_is_an_example_in_the_readme() -> None:
    """The README shows a GatewayCanary."""
    assert any(where.startswith("README.md") for where, _ in canaries())


def targets() -> set[str]:
    """Find the targets of the Makefile."""
    text = (ROOT / "Makefile").read_text()
    text += (ROOT / "infra" / "devcluster" / "cluster.mk").read_text()
    return set(re.findall(r"^([a-z0-9-]+):", text, flags=re.MULTILINE))


@pytest.mark.parametrize(("where", "command"), commands("make"), ids=place)
def test_make_commands_exist(where: str, command: str) -> None:
    """Every `make` in the documents names a target that is there."""
    assert where
    named = [word for word in shlex.split(command)[1:] if not word.startswith("-")]
    assert {word for word in named if "=" not in word} <= targets()


@pytest.mark.parametrize(("where", "command"), commands("gatewaycanary"), ids=place)
def test_our_own_commands_are_understood(where: str, command: str) -> None:
    """Every `gatewaycanary` in the documents is a command line that parses."""
    assert where
    assert callable(parsing.parser().parse_args(shlex.split(command)[1:]).command)


@pytest.mark.parametrize(("where", "command"), commands("kubectl"), ids=place)
def test_our_own_names_are_right(where: str, command: str) -> None:
    """Annotations and labels of ours in `kubectl` commands are those that the operator reads."""
    assert where
    assert set(re.findall(r"(?<![.\w])canary\.soma\.dev/[a-z-]+", command)) <= OURS


def test_the_annotations_are_all_explained() -> None:
    """Each annotation for people stands in a command somewhere."""
    told = " ".join(command for _, command in commands("kubectl"))
    assert all(name in told for name in OURS)
