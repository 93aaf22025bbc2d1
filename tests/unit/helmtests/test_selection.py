"""Filters select as helm test does, and what cannot run as written is refused with its name."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.core.observation import Problem
from gatewaycanary.helmtests import selection
from unit.helmtests.objects import Json, manifest, secret, stored_hook


def load(*hooks: Json, **options: Any) -> selection.Selection:
    """Load the hooks of a release that is stored with these."""
    return selection.load([secret(*hooks)], release="shop", namespace="shop", **options)


def stored(written: Json, **fields: Any) -> Json:
    """Give the stored form of a manifest."""
    kind, name = written["kind"], written["metadata"].get("name", "")
    return {**stored_hook(kind, name, **fields), "manifest": str(written)}


def names(found: selection.Selection) -> list[str]:
    """Name the selected hooks."""
    return [hook.name for hook in found.hooks]


def reasons(problems: tuple[Problem, ...]) -> list[str]:
    """Name the problems' reasons."""
    return [problem.reason for problem in problems]


THREE = (stored_hook("ConfigMap", "data"), stored_hook(name="one"), stored_hook(name="two"))


@pytest.mark.parametrize(
    ("include", "exclude", "selected"),
    [
        ((), (), ["data", "one", "two"]),
        (("one", "data"), (), ["data", "one"]),
        ((), ("one",), ["data", "two"]),
        (("one",), ("two",), ["one"]),
    ],
)
def test_filters(include: tuple[str, ...], exclude: tuple[str, ...], selected: list[str]) -> None:
    """Exact names select among all hooks of the tests, supporting ones too, as in Helm."""
    found = load(*THREE, include=include, exclude=exclude)
    assert names(found) == selected
    assert found.problems == ()
    assert found.release is not None


def test_filters_that_match_nothing() -> None:
    """A name that no test hook has is told, with the field that it stands in."""
    found = load(*THREE, include=("one", "uno"), exclude=("tow",))
    assert [(p.reason, p.field) for p in found.problems] == [
        ("TestFilterUnmatched", "include"),
        ("TestFilterUnmatched", "exclude"),
    ]
    assert "uno" in found.problems[0].message
    assert found.hooks == ()


def test_filters_that_leave_no_test() -> None:
    """Filters that leave supporting objects alone are refused: nothing would be tested."""
    assert reasons(load(*THREE, include=("data",)).problems) == ["NoTestsSelected"]


def test_release_without_tests() -> None:
    """A release without a test Pod or Job is refused, not green."""
    for hooks in ((), (stored_hook("ConfigMap", "data"),), (stored_hook(events=["pre-install"]),)):
        assert reasons(load(*hooks).problems) == ["ReleaseWithoutTests"]


def test_release_not_found() -> None:
    """A missing release is told with the namespace and the storage driver; it may yet come."""
    found = selection.load([], release="shop", namespace="market")
    (problem,) = found.problems
    assert problem.reason == "ReleaseNotFound"
    assert "market" in problem.message
    assert "HELM_DRIVER" in problem.message
    assert not problem.immediate
    assert problem.object == "Helm release shop"


def test_unreadable_release() -> None:
    """A Secret that cannot be read is told by its name."""
    broken = {**secret(stored_hook()), "data": {"release": "?"}}
    (problem,) = selection.load([broken], release="shop", namespace="shop").problems
    assert problem.reason == "ReleaseUnreadable"
    assert "sh.helm.release.v1.shop.v1" in problem.message


NAMELESS = manifest(name="")
ELSEWHERE = manifest("ConfigMap", "data", metadata={"name": "data", "namespace": "there"})
SELF_SELECTING = manifest("Job", spec={"manualSelector": True, "template": {}})
EMPTY_POD = manifest(spec={"containers": []})
SHAPELESS = manifest(metadata="none")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (manifest("Deployment", "app", apiVersion="apps/v1"), "apps/v1 Deployment is not supp"),
        (manifest("Pod", "app", apiVersion="v2"), "v2 Pod is not supported"),
        (manifest("Role", "reader"), "grants rights"),
        (NAMELESS, "generateName"),
        (ELSEWHERE, "namespace there"),
        (SELF_SELECTING, "manualSelector"),
        (EMPTY_POD, "no containers"),
        (manifest("Job", spec={"template": {"spec": None}}), "no containers"),
    ],
)
def test_refused_hooks(written: Json, said: str) -> None:
    """A hook that cannot run as written is refused by kind, name, path and reason."""
    (problem,) = load(stored_hook(name="fine"), stored(written)).problems
    assert problem.reason == "TestHookRefused"
    assert said in problem.message
    assert problem.field.startswith(f"{written['kind']} {written['metadata'].get('name', '')}")
    assert "templates/tests/" in problem.field


def test_shapeless_hook() -> None:
    """A hook whose metadata is no mapping is refused, not stumbled over."""
    text = str(SHAPELESS)
    found = load(stored_hook(name="fine"), {**stored_hook(name="odd"), "manifest": text})
    assert found.problems[0].message == "has no metadata"


def test_roles_by_opt_in() -> None:
    """Where the operator may grant rights, Roles and RoleBindings of tests are accepted."""
    hooks = (stored_hook(name="smoke"), stored(manifest("Role", "reader")))
    assert names(load(*hooks, allow_roles=True)) == ["reader", "smoke"]


def test_supported_kinds() -> None:
    """Every supported kind is accepted, in the release's own namespace too."""
    kinds = ("ConfigMap", "Secret", "ServiceAccount", "Service", "PersistentVolumeClaim", "Job")
    hooks = [stored_hook(kind, kind.lower()) for kind in kinds]
    own = manifest("Pod", "own")
    own["metadata"]["namespace"] = "shop"
    assert load(*hooks, stored(own)).problems == ()


def test_duplicates() -> None:
    """The same test written twice is refused, told once; the same ConfigMap twice is harmless."""
    twice = load(stored_hook(), stored_hook(), stored_hook("Job", "smoke"))
    assert [problem.message for problem in twice.problems] == ["Pod smoke is written twice"]
    harmless = load(stored_hook(), stored_hook("ConfigMap", "c"), stored_hook("ConfigMap", "c"))
    assert harmless.problems == ()
