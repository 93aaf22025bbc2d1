"""The wheels that an image needs, fetched for its own Python and not for this one."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

from devcluster import hosts, layout
from devcluster.locks import held

PYTHON = "3.11"
"""The base's Python."""

_OLDER = ("async-timeout",)
"""What the base's Python needs beyond: pip judges such conditions by the Python that it runs on."""

_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_FETCH = ("-m", "pip", "--disable-pip-version-check", "--quiet", "download")


def requirements(project: Path) -> tuple[str, ...]:
    """Name what a project needs, to run and to be built."""
    found = tomllib.loads((project / "pyproject.toml").read_text())
    return (*found["project"]["dependencies"], *found["build-system"]["requires"], *_OLDER)


def key(project: Path, constraints: Path) -> str:
    """Hash what decides which wheels there are."""
    inputs = (PYTHON, constraints.read_text(), *requirements(project))
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]


def ensure(project: Path, constraints: Path) -> Path:
    """Give the directory of a project's wheels, filled now if need be."""
    home = layout.build_cache() / f"wheels-{key(project, constraints)}"
    with held(layout.build_cache() / "lock", f"fetch the wheels of {project.name}"):
        if not home.is_dir():
            partial = home.with_name(home.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            hosts.run(*_command(project, constraints, partial))
            partial.rename(home)
    return home


def _command(project: Path, constraints: Path, target: Path) -> tuple[str, ...]:
    platforms = (option for name in _PLATFORMS for option in ("--platform", name))
    exactly = ("--only-binary=:all:", "--python-version", PYTHON, *platforms)
    where = ("--constraint", str(constraints), "--dest", str(target))
    return (sys.executable, *_FETCH, *exactly, *where, *requirements(project))
