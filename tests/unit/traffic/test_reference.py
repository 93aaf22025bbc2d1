"""The reference names what the code does: each reason, and a test for each row of the table."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from gatewaycanary.traffic import nginx_checks
from gatewaycanary.traffic.nginx_annotations import INHERITED
from unit.traffic import test_nginx_objects

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "nginx.md"


def rows_of(heading: str) -> set[str]:
    """Give the first column of the table below a heading."""
    section = REFERENCE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return set(cells[2:])


def test_every_row_has_a_test() -> None:
    """Each difference between the routers is covered by a test of the written object."""
    rows = vars(test_nginx_objects.TestRows)
    docs = [inspect.getdoc(test) or "" for name, test in rows.items() if "test" in name]
    tested = {match.group(1) for doc in docs if (match := re.match(r'Row "([^"]+)"', doc))}
    assert rows_of("Where Traefik and ingress-nginx differ") == tested


def test_every_reason_is_named() -> None:
    """Each reason to refuse or warn stands in the reference, and no other."""
    reasons = set(re.findall(r'reason="(\w+)"', inspect.getsource(nginx_checks)))
    refused = {row.strip("`") for row in rows_of("What is refused")}
    told = {"OtherIngressShifts", "DefaultBackend", "StickyClients"}
    assert refused | told == reasons
    assert all(f"`{reason}`" in REFERENCE.read_text() for reason in reasons)


def test_copied_annotations_are_named() -> None:
    """The row on upstreams names what is copied."""
    text = REFERENCE.read_text()
    assert all(name.partition("/")[2].partition("-by")[0] in text for name in INHERITED)
