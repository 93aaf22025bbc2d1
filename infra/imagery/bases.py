"""Base images made of the distribution's own packages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from devcluster import hosts, layout
from devcluster.locks import held

SUITE = "bookworm"
_FORM = "1"
"""To be raised when equal inputs are to give another base."""

_UNUSED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/var/cache/apt/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Name a root file system and the packages that it holds."""

    name: str
    packages: tuple[str, ...]

    @property
    def tag(self) -> str:
        """Name it as an image."""
        return f"localhost/{self.name}-base:{self.key()}"

    def key(self) -> str:
        """Hash what it is made of."""
        return hashlib.sha256("\0".join((_FORM, SUITE, *self.packages)).encode()).hexdigest()[:16]

    def rootfs(self) -> Path:
        """Give its root file system as a tar archive, made now if need be."""
        path = layout.build_cache() / f"base-{self.name}-{self.key()}.tar"
        with held(layout.build_cache() / "lock", f"make the base {self.name}"):
            if not path.exists():
                partial = path.with_suffix(".partial.tar")
                hosts.run(*_command(self.packages, partial))
                partial.rename(path)
        return path


def _command(packages: tuple[str, ...], target: Path) -> tuple[str, ...]:
    left_out = tuple(f"--dpkgopt=path-exclude={path}" for path in _UNUSED)
    wanted = f"--include={','.join(packages)}"
    return ("mmdebstrap", "--quiet", "--variant=minbase", *left_out, wanted, SUITE, str(target))


PYTHON = Base(name="python", packages=("ca-certificates", "python3-minimal", "python3-venv"))
POSTGRES = Base(name="postgres", packages=("postgresql-15",))
REDIS = Base(name="redis", packages=("redis-server",))
