"""Builds are named by their inputs and whole or not there."""

import re
import subprocess
from pathlib import Path

import pytest

from devcluster import addons, builds, go, layout, source
from devcluster.builds import Program, Recipe
from devcluster.errors import ClusterError
from devcluster.progress import Progress

_RECIPE = Recipe("thing", (Program(".", "thing", {"main.word": "hello"}),), "a second")
_MAIN = 'package main\n\nvar word = "?"\n\nfunc main() { println(word) }\n'


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out a small program and an empty cache."""
    home = tmp_path / "sources" / "thing"
    home.mkdir(parents=True)
    (home / "go.mod").write_text("module thing\n\ngo 1.26.0\n")
    (home / "main.go").write_text(_MAIN)
    monkeypatch.setattr(layout, "sources", lambda: home.parent)
    monkeypatch.setattr(layout, "build_cache", lambda: tmp_path / "builds")
    return home


def _ensure(recipe: Recipe = _RECIPE) -> Path:
    return builds.ensure(recipe, Progress(["thing"]), "thing")


def test_a_build_links_its_variables_and_is_made_once(sources: Path) -> None:
    """The second call finds what the first has made."""
    home = _ensure()
    said = subprocess.run([home / "thing"], check=True, capture_output=True, text=True).stderr
    assert said == "hello\n"
    made = (home / "thing").stat().st_mtime_ns
    assert _ensure() == home
    assert (home / "thing").stat().st_mtime_ns == made
    assert [path.name for path in home.iterdir()] == ["thing"]


def test_every_input_changes_the_key(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources, recipe and toolchain each give another build."""
    keys = {_RECIPE.key()}
    keys.add(Recipe("thing", (Program(".", "thing"),), "a second").key())
    keys.add(Recipe("thing", _RECIPE.programs, "a second", pins=("x",)).key())
    (sources / "main.go").write_text(_MAIN + "// changed\n")
    keys.add(_RECIPE.key())
    monkeypatch.setattr(go, "version", lambda: "go1.99")
    keys.add(_RECIPE.key())
    assert len(keys) == 5
    assert Recipe("thing", _RECIPE.programs, "an hour").key() in keys


def test_a_failed_build_leaves_nothing_of_its_name(sources: Path) -> None:
    """The compiler's words are in the error; a later build starts afresh."""
    (sources / "main.go").write_text("package main\n\nfunc main() { nonsense }\n")
    with pytest.raises(ClusterError, match="undefined: nonsense"):
        _ensure()
    assert not _RECIPE.home().exists()
    (sources / "main.go").write_text(_MAIN)
    assert (_ensure() / "thing").exists()


def test_a_build_that_was_killed_is_made_again(sources: Path) -> None:
    """What a killed builder left is thrown away."""
    partial = _RECIPE.home().with_name(_RECIPE.home().name + ".partial")
    (partial / "out").mkdir(parents=True)
    (partial / "out" / "stale").touch()
    assert [path.name for path in _ensure().iterdir()] == ["thing"]
    assert not partial.exists()


@pytest.mark.parametrize(("text", "version"), [("go1.26.8", (1, 26)), ("go1.27rc1", (1, 27))])
def test_the_toolchain_version_is_read(text: str, version: tuple[int, int]) -> None:
    """Releases and candidates alike."""
    assert go.parse_version(text) == version


def test_an_old_toolchain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what is needed and what was found."""
    go.version.cache_clear()
    monkeypatch.setattr(go, "parse_version", lambda _text: (1, 19))
    with pytest.raises(ClusterError, match=r"Go 1\.26 or newer is needed, found go1"):
        go.version()
    go.version.cache_clear()


def test_sources_name_no_host_and_no_machine() -> None:
    """Committed build inputs are modules and versions, never addresses or paths of a machine."""
    for recipe in source.needed(list(addons.known().values())):
        for path in recipe.sources().rglob("*"):
            if path.is_file():
                text = path.read_text()
                assert not re.search(r"https?://|/root/|/home/\w+/|/work/", text), path
                assert path.name in {"go.mod", "go.sum", "requirements.txt"} or path.suffix == ".go"
