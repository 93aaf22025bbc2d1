"""An image is built anew when, and only when, something that it is made of has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagery import recipes, wheelhouses
from imagery.bases import PYTHON, Base
from imagery.recipes import OPERATOR, Recipe

PROJECT = """
[build-system]
requires = ["hatchling"]
[project]
dependencies = ["kopf>=1", "PyYAML"]
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Give an image of one small project."""
    monkeypatch.setattr(recipes, "ROOT", tmp_path)
    monkeypatch.setattr(recipes, "CONSTRAINTS", tmp_path / "constraints.txt")
    (tmp_path / "constraints.txt").write_text("kopf==1.45.2\n")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    (tmp_path / "source" / "__pycache__").mkdir(parents=True)
    (tmp_path / "source" / "main.py").write_text("print(1)\n")
    (tmp_path / "source" / "__pycache__" / "main.pyc").write_text("x")
    return Recipe(
        tag="localhost/one:1",
        dockerfile="Dockerfile",
        base=PYTHON,
        inputs=("source",),
        project=".",
    )


def test_the_context(recipe: Recipe) -> None:
    """It is the Dockerfile and the inputs, without what Python leaves beside them."""
    assert list(recipe.files()) == [Path("Dockerfile"), Path("source/main.py")]


def test_what_changes_an_image(recipe: Recipe, tmp_path: Path) -> None:
    """A file, a pin, a need, an argument, the base, the name."""
    keys = [recipe.key(), recipe.key()]
    assert keys[0] == keys[1]
    for name in ("Dockerfile", "source/main.py", "constraints.txt"):
        path = tmp_path / name
        path.write_text(path.read_text() + "\n")
        keys.append(recipe.key())
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text().replace("PyYAML", "orjson"))
    keys.append(recipe.key())
    keys.append(replace(recipe, arguments={"VERSION": "2"}).key())
    keys.append(replace(recipe, base=Base(name="other", packages=("python3",))).key())
    keys.append(replace(recipe, tag="localhost/one:2").key())
    assert len(set(keys)) == len(keys) - 1


def test_what_does_not(recipe: Recipe, tmp_path: Path) -> None:
    """Compiled files, and whatever lies beside the inputs."""
    key = recipe.key()
    (tmp_path / "source" / "__pycache__" / "main.pyc").write_text("y")
    (tmp_path / "notes.md").write_text("aside")
    assert recipe.key() == key


def test_what_a_build_installs(recipe: Recipe, tmp_path: Path) -> None:
    """What the project needs to run, and what builds it."""
    named = wheelhouses.requirements(tmp_path)
    assert named[:3] == ("kopf>=1", "PyYAML", "hatchling")


def test_the_operator() -> None:
    """Its context holds what its Dockerfile copies, and no test."""
    files = set(map(str, OPERATOR.files()))
    assert {"Dockerfile", "constraints.txt", "operator/gatewaycanary/app.py"} <= files
    assert not any(path.startswith("tests/") for path in files)
    assert OPERATOR.name == "gatewaycanary-0.1.0"
