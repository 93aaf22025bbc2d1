"""How the package lies in the repository, and what its parts may know of each other."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "operator"
PACKAGE = SOURCE / "gatewaycanary"
LIMIT_MODULE = 400
LIMIT_FUNCTION = 50
BROAD = frozenset({"Exception", "BaseException"})


def modules() -> list[Path]:
    """Find all modules of the operator, its infrastructure and its scripts."""
    roots = (PACKAGE, ROOT / "infra", ROOT / "scripts")
    return sorted(path for root in roots for path in root.rglob("*.py"))


def name_of(path: Path) -> str:
    """Name a module by its path in the repository."""
    return str(path.relative_to(ROOT))


def test_the_source_root_is_no_package() -> None:
    """`operator/__init__.py` would shadow the standard library's `operator`."""
    assert not (SOURCE / "__init__.py").exists()


def test_the_standard_library_s_operator_is_found() -> None:
    """With the source root and the checkout on the path, `operator` is the standard one."""
    script = "import operator, sys; print(operator.__file__); operator.itemgetter(0)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{ROOT}:{SOURCE}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).name == "operator.py"
    assert ROOT not in Path(done.stdout.strip()).parents


def test_the_layers_hold() -> None:
    """import-linter keeps the contracts of pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_module_is_too_long(path: Path) -> None:
    """A module of more than 400 lines is two modules."""
    assert len(path.read_text().splitlines()) <= LIMIT_MODULE


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_function_is_too_long(path: Path) -> None:
    """A function of more than 50 lines is two functions."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, functions) and length(node) > LIMIT_FUNCTION
    ]
    assert long == []


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """The docstring of a module gives its theory; only an empty `__init__` has none."""
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or not tree.body


def test_only_the_reconcile_loop_catches_everything() -> None:
    """There is one broad `except` in the operator, and it is counted by a metric."""
    found = [name_of(path) for path in sorted(PACKAGE.rglob("*.py")) for _ in broad(path)]
    assert found == ["operator/gatewaycanary/engine/reconciler.py"]


def broad(path: Path) -> Iterator[ast.ExceptHandler]:
    """Find the handlers of a module that catch every exception."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = (
                {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
                if node.type
                else BROAD
            )
            if caught & BROAD:
                yield node


def test_every_dependency_is_pinned() -> None:
    """constraints.txt pins what pyproject.toml asks for, without addresses or hashes."""
    files = (ROOT / "pyproject.toml", ROOT / "infra" / "stack" / "pyproject.toml")
    projects = [tomllib.loads(path.read_text())["project"] for path in files]
    asked = [
        name
        for project in projects
        for name in (*project["dependencies"], *project["optional-dependencies"]["dev"])
    ]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(line.count("==") == 1 and "/" not in line and "--" not in line for line in lines)
    pinned = {normal(line.split("==")[0]) for line in lines}
    assert {normal(one.split(">=")[0]) for one in asked} <= pinned


def normal(name: str) -> str:
    """Spell a distribution's name as indexes compare it."""
    return name.strip().lower().replace("_", "-")


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=name_of
)
def test_no_machine_path_is_told(path: Path) -> None:
    """Documents name no folder of the machine that they were written on."""
    text = path.read_text()
    assert "/root/" not in text
    assert "/work/" not in text
