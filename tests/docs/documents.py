"""The documents of the repository and the blocks of code in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: where it stands, in which language, and what it says."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def documents() -> list[Path]:
    """Find the README, the other documents of the root, and all of docs/."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(*languages: str) -> list[Block]:
    """Find the blocks of these languages in all documents."""
    return [block for path in documents() for block in _blocks(path) if block.language in languages]


def commands(program: str) -> list[tuple[str, str]]:
    """Find the commands of a program in all console blocks, each with its place."""
    return [
        (str(block), line.removeprefix("$ ").partition(" #")[0].strip())
        for block in blocks("console")
        for line in block.text.splitlines()
        if line.strip().startswith(f"$ {program} ") or line.strip() == f"$ {program}"
    ]


def canaries() -> list[tuple[str, dict[str, Any]]]:
    """Find the GatewayCanaries of all documents, each with its place."""
    return [
        (str(block), document)
        for block in blocks("yaml")
        for document in yaml.safe_load_all(block.text)
        if isinstance(document, dict) and document.get("kind") == "GatewayCanary"
    ]


def _blocks(path: Path) -> Iterator[Block]:
    text = path.read_text()
    for found in BLOCK.finditer(text):
        indent, language, body = found.groups()
        lines = (line.removeprefix(indent) for line in body.splitlines(keepends=True))
        line = text.count("\n", 0, found.start()) + 1
        yield Block(str(path.relative_to(ROOT)), line, language, "".join(lines))
