"""Programs built from pinned sources, once for each distinct set of inputs.

A build's name carries the hash of everything that can change its outcome:
the recipe, every file of its sources and the Go version. It is made in a
directory of another name and renamed when whole, so a directory of the right
name is a whole build, whatever was killed while it was made. Two builders of
the same thing are kept apart by a lock; the second then finds it there.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import go, layout
from devcluster.errors import ClusterError
from devcluster.locks import held
from devcluster.progress import Progress

Step = Callable[[Path, Path], None]
"""Something done between the sources (first) and the finished build (second)."""


def _nothing(_sources: Path, _target: Path) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """Describe one program: its package, its file name, the strings set at link time."""

    package: str
    output: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Describe one build: what to link, how long it usually takes, what comes before and after."""

    name: str
    programs: tuple[Program, ...]
    expected: str
    prepare: Step = _nothing
    finish: Step = _nothing
    pins: tuple[str, ...] = ()

    def sources(self) -> Path:
        """Find the pinned inputs."""
        return layout.sources() / self.name

    def key(self) -> str:
        """Hash everything that can change the outcome."""
        digest = hashlib.sha256()
        described = [[p.package, p.output, sorted(p.variables.items())] for p in self.programs]
        digest.update(json.dumps([go.version(), described, self.pins]).encode())
        for name, content in _contents(self.sources()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]

    def home(self) -> Path:
        """Name the directory of the finished build."""
        return layout.build_cache() / f"{self.name}-{self.key()}"


def _contents(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()


def ensure(recipe: Recipe, progress: Progress, stage: str) -> Path:
    """Return the directory of the finished build, made now if need be."""
    home = recipe.home()
    if home.is_dir():
        return home
    # The lock covers all builds, not one: two at once would only take each other's memory.
    with held(layout.build_cache() / "lock", f"build {recipe.name}"):
        if not home.is_dir():
            _make(recipe, home, progress, stage)
    return home


def _make(recipe: Recipe, home: Path, progress: Progress, stage: str) -> None:
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    work, target = partial / "src", partial / "out"
    target.mkdir(parents=True)
    shutil.copytree(recipe.sources(), work)
    packages: deque[str] = deque(maxlen=1)
    compiled = 0

    def note(package: str) -> None:
        nonlocal compiled
        compiled += 1
        packages.append(package)

    def detail() -> str:
        return f"{compiled} packages compiled, now {packages[-1]}" if packages else "fetching"

    with progress.stage(stage, recipe.expected, detail):
        recipe.prepare(work, target)
        for program in recipe.programs:
            _link(program, work, target, note)
        recipe.finish(work, target)
    target.rename(home)
    shutil.rmtree(partial)


def _link(program: Program, work: Path, target: Path, note: Callable[[str], None]) -> None:
    flags = " ".join(["-s -w", *(f"-X {k}={v}" for k, v in sorted(program.variables.items()))])
    argv = ["go", "build", "-v", "-trimpath", "-p", str(_parallel()), "-ldflags", flags]
    argv += ["-o", str(target / program.output), program.package]
    said: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        argv, cwd=work, env=go.environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            said.append(line.rstrip())
            if not line.startswith("go: "):
                note(line.strip())
    if process.returncode != 0:
        raise ClusterError(f"building {program.output} failed:\n  " + "\n  ".join(said))


def _parallel() -> int:
    # One compiler may take 2 GiB on the generated API packages.
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // (2 << 30)))
