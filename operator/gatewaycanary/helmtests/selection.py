"""Which hooks of a release run, and what of it is refused.

The filters are those of ``helm test``: exact names, over all hooks of the tests. A supporting
ConfigMap is therefore left out as well when ``include`` does not name it.

What is refused is refused before the rollout starts. Nothing is skipped in silence: a release
whose tests cannot all run as written gates nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests.release import Hook, Release, ReleaseError, newest

ALLOWED: Final = {
    "Pod": "v1",
    "Job": "batch/v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "ServiceAccount": "v1",
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
}
"""The kinds that a release's tests may consist of, each with its apiVersion."""

BY_OPT_IN: Final = {
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
}
"""The kinds that grant rights, allowed where the operator was installed to do so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The hooks that run, in order; none where there are problems."""

    release: Release | None = None
    hooks: tuple[Hook, ...] = ()
    problems: tuple[Problem, ...] = ()


def load(
    secrets: Iterable[Object],
    *,
    release: str,
    namespace: str,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    allow_roles: bool = False,
) -> Selection:
    """Read the release's hooks from the Secrets of its namespace, and tell what forbids them."""
    try:
        found = newest(secrets, release)
    except ReleaseError as error:
        return Selection(problems=(_problem("ReleaseUnreadable", release, str(error)),))
    if found is None:
        message = (
            f"no such release is stored in Secrets of namespace {namespace} "
            "(releases kept with another HELM_DRIVER cannot be read)"
        )
        return Selection(problems=(_problem("ReleaseNotFound", release, message),))
    selected = hooks(found, include, exclude)
    refused = problems(found, include, exclude, namespace=namespace, allow_roles=allow_roles)
    return Selection(release=found, hooks=() if refused else selected, problems=refused)


def hooks(
    release: Release, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[Hook, ...]:
    """Select the hooks that run, in Helm's order."""
    return tuple(
        hook
        for hook in release.hooks
        if hook.name not in exclude and (not include or hook.name in include)
    )


def problems(
    release: Release,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    namespace: str,
    allow_roles: bool = False,
) -> tuple[Problem, ...]:
    """Tell everything that forbids to run the selected hooks."""
    selected = hooks(release, include, exclude)
    found = [*_filter_problems(release, include, exclude)]
    for hook in selected:
        message = _refusal(hook, namespace=namespace, allow_roles=allow_roles)
        if message:
            found.append(_hook_problem(release, hook, message))
    if not any(hook.is_test for hook in release.hooks):
        found.append(_problem("ReleaseWithoutTests", release.name, "has no test Pod or Job"))
    elif not any(hook.is_test for hook in selected):
        found.append(_problem("NoTestsSelected", release.name, "the filters leave no test"))
    return (*found, *_duplicates(release, selected))


def _filter_problems(
    release: Release, include: Sequence[str], exclude: Sequence[str]
) -> Iterable[Problem]:
    names = {hook.name for hook in release.hooks}
    for field, filters in (("include", include), ("exclude", exclude)):
        for name in filters:
            if name not in names:
                message = f"{field} names {name}, which is no test hook of the release"
                yield _problem("TestFilterUnmatched", release.name, message, field=field)


def _refusal(hook: Hook, *, namespace: str, allow_roles: bool) -> str:
    if not hook.name:
        return "has no name of its own (generateName is not supported)"
    if hook.kind in BY_OPT_IN and not allow_roles:
        return "grants rights, which the operator was not installed to allow for tests"
    if {**ALLOWED, **BY_OPT_IN}.get(hook.kind) != hook.api_version:
        return f"{hook.api_version} {hook.kind} is not supported in tests"
    if hook.namespace not in ("", namespace):
        return f"is in namespace {hook.namespace}, not in the release's"
    return _malformed(hook) or _unrunnable(hook)


def _malformed(hook: Hook) -> str:
    metadata = hook.manifest.get("metadata")
    if not isinstance(metadata, dict):
        return "has no metadata"
    for field, written, known in (
        ("kind", hook.manifest.get("kind"), hook.kind),
        ("metadata.name", metadata.get("name"), hook.name),
    ):
        if written != known:
            return f"{field} is {written}, and {known} in the release's record of it"
    for field in ("labels", "annotations"):
        if not isinstance(metadata.get(field) or {}, dict):
            return f"metadata.{field} is no mapping"
    return ""


def _unrunnable(hook: Hook) -> str:
    if not hook.is_test:
        return ""
    spec = hook.manifest.get("spec")
    if hook.kind == "Job" and isinstance(spec, dict):
        if spec.get("manualSelector"):
            return "selects its pods by itself (manualSelector), so they cannot be relabelled"
        template = spec.get("template")
        spec = template.get("spec") if isinstance(template, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    return "" if isinstance(containers, list) and containers else "has no containers"


def _duplicates(release: Release, selected: Sequence[Hook]) -> Iterable[Problem]:
    counts = Counter((hook.kind, hook.name) for hook in selected if hook.is_test)
    twice = [hook for hook in selected if counts[hook.kind, hook.name] > 1]
    for hook in dict.fromkeys((hook.kind, hook.name) for hook in twice):
        message = f"{hook[0]} {hook[1]} is written twice"
        yield _problem("TestHookRefused", release.name, message)


def _hook_problem(release: Release, hook: Hook, message: str) -> Problem:
    where = f" ({hook.path})" if hook.path else ""
    return Problem(
        reason="TestHookRefused",
        object=f"Helm release {release.name}",
        field=f"{hook.kind} {hook.name}{where}",
        message=message,
    )


def _problem(reason: str, release: str, message: str, *, field: str = "") -> Problem:
    return Problem(reason=reason, object=f"Helm release {release}", field=field, message=message)
