"""The Go toolchain: which one there is, and how it is called.

Builds take modules from wherever the user's own settings say; nothing here
names a source. What is fixed is what would change the outcome: no C, no
other toolchain than the one found, no workspace, no version control stamps.
"""

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.settings import MINIMUM_GO

_FIXED = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def environment() -> dict[str, str]:
    """Return the environment for go commands."""
    return {**os.environ, **_FIXED}


def parse_version(text: str) -> tuple[int, int]:
    """Read major and minor from a version as Go prints it (go1.26.8)."""
    match = re.match(r"go(\d+)\.(\d+)", text)
    if match is None:
        raise ClusterError(f"cannot read the Go version {text!r}")
    return int(match[1]), int(match[2])


@functools.cache
def version() -> str:
    """Return the version of the Go toolchain; refuse one that is missing or too old."""
    wanted = ".".join(map(str, MINIMUM_GO))
    if shutil.which("go") is None:
        raise ClusterError(f"go is not on the PATH: install Go {wanted} or newer")
    asked = ["go", "env", "GOVERSION"]
    found = subprocess.run(
        asked, env=environment(), check=True, capture_output=True, text=True
    ).stdout.strip()
    if parse_version(found) < MINIMUM_GO:
        raise ClusterError(f"Go {wanted} or newer is needed, found {found}: install a newer Go")
    return found


def module(path: str, checksum: str) -> Path:
    """Fetch a module (path@version) outside of any other and return its directory."""
    argv = ["go", "mod", "download", "-json", path]
    done = subprocess.run(
        argv, cwd="/", env=environment(), check=False, capture_output=True, text=True
    )
    answer = json.loads(done.stdout or "{}")
    if done.returncode != 0:
        raise ClusterError(f"{path}: {answer.get('Error') or done.stderr.strip()}")
    if answer["Sum"] != checksum:
        raise ClusterError(f"{path}: checksum {answer['Sum']}, expected {checksum}")
    return Path(answer["Dir"])


def module_of(work: Path, path: str) -> Path:
    """Find the directory of a module that the module in `work` requires."""
    argv = ["go", "mod", "download", "-json", path]
    done = subprocess.run(
        argv, cwd=work, env=environment(), check=True, capture_output=True, text=True
    )
    return Path(json.loads(done.stdout)["Dir"])
