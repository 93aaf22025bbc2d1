"""Every link between documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.documents import ROOT, documents

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def links() -> list[tuple[Path, str]]:
    """Find all links to files of the repository."""
    return [
        (path, link)
        for path in documents()
        for link in LINK.findall(path.read_text())
        if not link.startswith(("http://", "https://"))
    ]


def anchors(path: Path) -> set[str]:
    """Give the anchors of a document, as its headings make them."""
    headings = (heading.lower() for heading in HEADING.findall(path.read_text()))
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}


def name(value: object) -> str:
    """Name a link by its ends."""
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("path", "link"), links(), ids=name)
def test_a_link_leads_somewhere(path: Path, link: str) -> None:
    """The file of a link exists, and so does the heading that it names."""
    target, _, anchor = link.partition("#")
    file = (path.parent / target).resolve() if target else path
    assert file.exists()
    if anchor:
        assert anchor in anchors(file)


def test_every_page_is_reached_from_the_index() -> None:
    """The index of docs/ names every page but the decisions."""
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / link.partition("#")[0]).resolve() for p, link in links() if p == index
    }
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "adr"}
    assert pages - linked - {index} == set()
