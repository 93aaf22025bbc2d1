"""What each image is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagery import wheelhouses
from imagery.bases import POSTGRES, PYTHON, REDIS, Base

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
_FORM = "2"
"""To be raised when equal inputs are to give another image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Describe one image.

    ``inputs`` are the files and folders of the build's context, relative to the repository.
    ``project`` is the Python project whose wheels the build is handed, if it installs one.
    ``arguments`` are the build's own.
    """

    tag: str
    dockerfile: str
    base: Base
    inputs: tuple[str, ...] = ()
    project: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """Name the archive: the tag as a file's name."""
        return self.tag.removeprefix("localhost/").replace("/", "-").replace(":", "-")

    def files(self) -> Iterator[Path]:
        """Give every file of the build's context, relative to the repository."""
        for each in (self.dockerfile, *self.inputs):
            top = ROOT / each
            found = sorted(top.rglob("*")) if top.is_dir() else [top]
            yield from (
                path.relative_to(ROOT)
                for path in found
                if path.is_file() and "__pycache__" not in path.parts
            )

    def key(self) -> str:
        """Hash everything that can change the image."""
        digest = hashlib.sha256()
        wheels = wheelhouses.key(ROOT / self.project, CONSTRAINTS) if self.project else ""
        named = [_FORM, self.tag, self.base.key(), wheels, sorted(self.arguments.items())]
        digest.update(json.dumps(named).encode())
        for path in self.files():
            content = (ROOT / path).read_bytes()
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]


OPERATOR = Recipe(
    tag="localhost/gatewaycanary:0.1.0",
    dockerfile="Dockerfile",
    base=PYTHON,
    inputs=(
        "constraints.txt",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "operator",
    ),
    project=".",
)


def _stack(version: str, **arguments: str) -> Recipe:
    """Describe a version of soma-stack's services."""
    return Recipe(
        tag=f"localhost/soma-stack:{version}",
        dockerfile="infra/stack/Dockerfile",
        base=PYTHON,
        inputs=(
            "constraints.txt",
            "infra/stack/pyproject.toml",
            "infra/stack/soma",
        ),
        project="infra/stack",
        arguments={"VERSION": version, **arguments},
    )


STACK = (
    Recipe(
        tag="localhost/postgres:15",
        dockerfile="infra/stack/images/postgres/Dockerfile",
        base=POSTGRES,
        inputs=("infra/stack/images/postgres/entrypoint.sh",),
    ),
    Recipe(tag="localhost/redis:7", dockerfile="infra/stack/images/redis/Dockerfile", base=REDIS),
    _stack("0.1.0"),
    _stack("0.2.0"),
    _stack("0.3.0", FAULT_ANSWER="wrong"),
)
"""The platform: its stores, two good versions of its services, and one that answers wrongly."""

SETS: Mapping[str, tuple[Recipe, ...]] = {"operator": (OPERATOR,), "stack": STACK}
"""The images that belong together, by name."""
