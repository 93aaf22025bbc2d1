"""Write everything that is generated from the code, or check (`--check`) that it is up to date."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pages
import schemas
import stubs
from gatewaycanary.api.crd import crd_yaml
from gatewaycanary.telemetry import series

ROOT = Path(__file__).resolve().parents[1]
CHARTS = ("charts/gatewaycanary", "infra/helm/outbox-sync", "infra/helm/soma-stack")

GENERATED: Mapping[str, Callable[[], str]] = {
    "crds/gatewaycanaries.canary.soma.dev.yaml": crd_yaml,
    "docs/reference/cli.md": pages.command_line,
    "docs/reference/metrics.md": series.reference,
    "docs/reference/resource.md": pages.resource,
    "docs/reference/transitions.md": pages.diagram,
    **{name: partial(stubs.text, name) for name in stubs.NAMES},
    **{
        f"{chart}/values.schema.json": partial(schemas.schema_of, ROOT / chart / "values.yaml")
        for chart in CHARTS
    },
}


def main() -> int:
    """Write or check all generated files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    stale = [name for name, make in GENERATED.items() if not _settle(name, make(), check=check)]
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make generate`", file=sys.stderr)
    return 1 if stale else 0


def _settle(name: str, wanted: str, *, check: bool) -> bool:
    """Return whether the file holds what is wanted, after writing it where that is allowed."""
    path = ROOT / name
    found = path.read_text() if path.exists() else ""
    if found == wanted:
        return True
    if check:
        difference = difflib.unified_diff(
            found.splitlines(), wanted.splitlines(), name, f"{name} (generated)", lineterm="", n=1
        )
        print("\n".join(list(difference)[:40]), file=sys.stderr)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(wanted)
    print(f"wrote {name}")
    return True


if __name__ == "__main__":
    sys.exit(main())
