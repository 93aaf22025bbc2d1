"""The table at the end: what each kind of fault came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from chaos.verdicts import Verdict

_HEAD = ("FAULT", "RUNS", "STRUCK", "WRONG", "BREACHES", "LOST", "EXCUSED", "OWN", "RESUMED")


def table(verdicts: Iterable[Verdict]) -> str:
    """Write one line a fault, one an outage, and one for all.

    RESUMED is the median and the maximum of the seconds from a fault's end to the next decision.
    """
    found = list(verdicts)
    groups: defaultdict[str, list[Verdict]] = defaultdict(list)
    for each in found:
        groups[each.fault].append(each)
    outages: defaultdict[str, list[Verdict]] = defaultdict(list)
    for each in found:
        outages[f"all with {each.outage}"].append(each)
    rows = [_row(name, groups[name]) for name in sorted(groups)]
    rows += [_row(name, outages[name]) for name in sorted(outages)]
    rows.append(_row("all", found))
    return _aligned([_HEAD, *rows])


def _row(name: str, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    resumed = [each.resumed for each in verdicts if each.resumed is not None]
    numbers = (
        len(verdicts),
        sum(each.struck for each in verdicts),
        sum(bool(each.wrong) for each in verdicts),
        sum(len(each.breaches) for each in verdicts),
        sum(len(each.lost) for each in verdicts),
        sum(each.excused for each in verdicts),
        sum(each.own for each in verdicts),
    )
    told = f"{median(resumed):.1f}, {max(resumed):.1f} s" if resumed else "-"
    return (name, *map(str, numbers), told)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
