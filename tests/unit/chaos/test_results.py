"""Runs that are done are not made again, also after a line that was cut off."""

from __future__ import annotations

from pathlib import Path

from chaos import tables
from chaos.results import Results
from chaos.verdicts import Verdict


def verdict(number: int, *, fault: str = "NONE", **further: object) -> Verdict:
    """Write a verdict."""
    return Verdict.read(
        {
            "number": number,
            "fault": fault,
            "outage": "API",
            "provider": "nginx",
            "good": True,
            "phase": "Succeeded",
            **further,
        }
    )


def test_it_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    """A verdict that was half written counts as none."""
    results = Results(tmp_path / "seed" / "7.jsonl")
    assert results.missing(3) == [0, 1, 2]
    results.add(verdict(1))
    with results.path.open("a") as file:
        file.write('{"number": 2, "fau')
    assert results.missing(3) == [0, 2]
    assert results.read() == {1: verdict(1)}


def test_the_table_adds_up() -> None:
    """One row a fault, one an outage, one for all."""
    found = [
        verdict(0, resumed=1.0, struck=True),
        verdict(1, fault="KILLED", wrong="it is", lost=["502"], resumed=3.0),
        verdict(2, fault="KILLED", breaches=["a", "b"], excused=4, own=5),
    ]
    rows = [line.split() for line in tables.table(found).splitlines()]
    assert rows[1] == ["KILLED", "2", "0", "1", "2", "1", "4", "5", "3.0,", "3.0", "s"]
    assert rows[2] == ["NONE", "1", "1", "0", "0", "0", "0", "0", "1.0,", "1.0", "s"]
    assert rows[-1][:4] == ["all", "3", "1", "1"]
