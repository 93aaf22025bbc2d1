"""The examples of the documents, given to a real API server."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.documents import canaries


@pytest.mark.parametrize(("where", "canary"), canaries(), ids=str)
def test_an_example_is_accepted(
    accepting: tuple[str, ...], tmp_path: Path, where: str, canary: dict[str, Any]
) -> None:
    """The API server takes every GatewayCanary of the documents as it stands there."""
    path = tmp_path / "canary.yaml"
    path.write_text(yaml.safe_dump(canary))
    create = [*accepting, "create", "--dry-run=server", "-n", "default", "-f", str(path)]
    done = subprocess.run(create, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{where}: {done.stderr}"
