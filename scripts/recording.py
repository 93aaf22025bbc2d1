"""Put a recording of `make demo` into the README, between its two marks."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
MARKED = re.compile(r"(<!-- demo:begin .*?-->\n).*?(<!-- demo:end -->)", re.DOTALL)
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def clean(text: str) -> str:
    """Give what a terminal would show in the end: rewritten lines once, without control codes."""
    lines = (CONTROL.sub("", line).rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return "\n".join(lines).strip("\n")


def embedded(readme: str, recording: str) -> str:
    """Put a recording between the marks; raise ValueError where there are none."""
    block = f"```text\n$ make demo\n{clean(recording)}\n```\n"
    replaced, count = MARKED.subn(lambda marks: f"{marks[1]}{block}{marks[2]}", readme)
    if count != 1:
        raise ValueError("the README has no place for the recording")
    return replaced


def main() -> int:
    """Embed the recording that the argument names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path, help="a file with the demo's output")
    README.write_text(embedded(README.read_text(), parser.parse_args().recording.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
