"""Building an image with buildah, in a store that is thrown away afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster import hosts, layout, packages
from devcluster.locks import held
from devcluster.packages import Tool
from devcluster.progress import Progress
from imagery import wheelhouses
from imagery.bases import Base
from imagery.recipes import CONSTRAINTS, ROOT, Recipe

_TOOLS = (Tool("buildah", "buildah"), Tool("mmdebstrap", "mmdebstrap"))
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WHEELS = "/wheelhouse"


def ensure(recipes: Sequence[Recipe], progress: Progress) -> list[Path]:
    """Give the archives of images, each made now if need be."""
    archives = [layout.build_cache() / f"image-{each.name}-{each.key()}.tar" for each in recipes]
    missing = [
        (recipe, archive)
        for recipe, archive in zip(recipes, archives, strict=True)
        if not archive.exists()
    ]
    if missing:
        packages.ensure(_TOOLS, progress)
        with tempfile.TemporaryDirectory(prefix="imagery-") as folder:
            store = _Store(Path(folder))
            try:
                for recipe, archive in missing:
                    with progress.stage(f"build {recipe.tag}", "1 minute"):
                        store.build(recipe, archive)
            finally:
                store.clear()
    return archives


@dataclass(frozen=True, slots=True)
class _Store:
    """Where buildah keeps what it builds."""

    folder: Path

    def build(self, recipe: Recipe, archive: Path) -> None:
        self._lay(recipe.base)
        context = self.folder / "context"
        for path in recipe.files():
            (context / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, context / path)
        arguments = {"BASE": recipe.base.tag, **recipe.arguments}
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        if recipe.project is not None:
            wheels = wheelhouses.ensure(ROOT / recipe.project, CONSTRAINTS)
            options += [
                f"--build-arg=PIP_OPTIONS=--no-index --find-links {_WHEELS}",
                f"--volume={wheels}:{_WHEELS}:ro",
            ]
        where = ("--file", str(context / recipe.dockerfile), "--tag", recipe.tag)
        # NB: no layer is kept for the next build: an ENV is the same layer to buildah's cache
        # whatever the arguments in it are.
        self._buildah("bud", "--quiet", "--isolation=chroot", *options, *where, str(context))
        shutil.rmtree(context)
        with held(layout.build_cache() / "lock", f"write {recipe.tag}"):
            partial = archive.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            self._buildah("push", "--quiet", recipe.tag, f"docker-archive:{partial}:{recipe.tag}")
            partial.rename(archive)

    def _lay(self, base: Base) -> None:
        rootfs = base.rootfs()
        if base.tag in self._buildah("images", "--format={{.Name}}:{{.Tag}}").split():
            return
        container = self._buildah("from", "scratch").strip()
        self._buildah("add", "--quiet", container, str(rootfs), "/")
        self._buildah("config", "--env", _PATH, container)
        self._buildah("commit", "--quiet", "--rm", container, base.tag)

    def clear(self) -> None:
        """Let go of the mounts, so that the folder can be removed."""
        self._buildah("rm", "--all")
        self._buildah("rmi", "--all", "--force")
        hosts.attempt("umount", str(self.folder / "store" / "overlay"))

    def _buildah(self, *arguments: str) -> str:
        roots = ("--root", str(self.folder / "store"), "--runroot", str(self.folder / "run"))
        # NB: the default copies a whole file system for every layer.
        return hosts.run("buildah", *roots, "--storage-driver=overlay", *arguments)
