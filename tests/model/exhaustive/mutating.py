"""Sow each bug, let the model search for it, and tell how it was found (`make mutants`)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import gatewaycanary
from model.exhaustive.mutants import MUTANTS, Mutant, Patch

OPERATOR: Final = Path(gatewaycanary.__path__[0])
TESTS: Final = Path(__file__).resolve().parents[2]
LIMIT: Final = 60
"""Seconds of CPU within which a bug must be found."""

ROW: Final = "{:<54} {:<26} {:<34} {:>8} {:>6}  {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mutant: the rule that named it, and how; ``wrong``: why it does not do."""

    mutant: Mutant
    rule: str = ""
    scene: str = ""
    faults: int = 0
    states: int = 0
    seconds: float = 0.0
    wrong: str = ""
    lines: tuple[str, ...] = ()


class PatchError(Exception):
    """Raised when a patch does not fit the operator any more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try every mutant; give the exit code."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose words contain this")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.words]
    begun = monotonic()
    print(ROW.format("bug", "file", "found by the rule", "states", "CPU s", "scene, faults"))
    with ThreadPoolExecutor(options.workers) as pool:
        verdicts = [_show(verdict) for verdict in pool.map(tried, chosen)]
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    found = len(chosen) - len(wrong)
    print(f"{found} of {len(chosen)} bugs found, in {monotonic() - begun:.0f} s")
    return 1 if wrong else 0


def tried(mutant: Mutant) -> Verdict:
    """Sow a mutant and let the model search for it."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        root = Path(place)
        try:
            sow(mutant, root)
        except PatchError as error:
            return Verdict(mutant=mutant, wrong=str(error))
        return _search(mutant, root)


def sow(mutant: Mutant, root: Path) -> None:
    """Write the operator with this bug below a folder.

    Raises:
        PatchError: the text to be replaced does not stand there exactly once.
    """
    package = root / OPERATOR.name
    shutil.copytree(OPERATOR, package, ignore=shutil.ignore_patterns("__pycache__"))
    for patch in mutant.patches:
        path = package / patch.file
        path.write_text(patched(patch, path.read_text()))


def patched(patch: Patch, text: str) -> str:
    """Give a file's text with the patch applied.

    Raises:
        PatchError: the text to be replaced does not stand there exactly once.
    """
    times = text.count(patch.old)
    if times != 1:
        message = f"the patch does not fit: its text stands {times} times in {patch.file}"
        raise PatchError(message)
    return text.replace(patch.old, patch.new)


def _search(mutant: Mutant, root: Path) -> Verdict:
    command = ["bash", "-c", f"ulimit -t {LIMIT}; exec {sys.executable} -m model.exhaustive.trial"]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root}{os.pathsep}{TESTS}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        why = answer.stderr.strip().splitlines()[-1:] or [f"not found within {LIMIT} s of CPU"]
        return Verdict(mutant=mutant, wrong=why[0])
    report = json.loads(answer.stdout)
    return Verdict(
        mutant=mutant,
        rule=report["rule"],
        scene=report["scene"],
        faults=report["faults"],
        states=report["states"],
        seconds=report["seconds"],
        wrong=_wrong(mutant, report["rule"]),
        lines=tuple(report["lines"]),
    )


def _wrong(mutant: Mutant, rule: str) -> str:
    if not rule:
        return "it SURVIVED"
    return "" if rule == mutant.rule else f"found by another rule than {mutant.rule}"


def _show(verdict: Verdict) -> Verdict:
    mutant = verdict.mutant
    print(
        ROW.format(
            mutant.words,
            mutant.patches[0].file,
            verdict.rule,
            verdict.states,
            f"{verdict.seconds:.1f}",
            f"{verdict.scene}, {verdict.faults}",
        ),
        flush=True,
    )
    if verdict.wrong:
        print(f"    {verdict.wrong}", *verdict.lines, sep="\n    ", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
