"""What Helm stores of a release: one Secret a revision, the hooks in it beside the chart.

The Secret's value is base64 of base64 of gzipped JSON. Helm has then already read the hooks'
annotations: weight, events and delete policies stand beside each manifest, and the events say
``test`` where a chart wrote the older ``test-success``.

Helm tests the newest revision, whatever its status; so do we, but for a release that is
uninstalled, whose history may still be there.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

import orjson

from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests.manifests import Manifest, parse

SECRET_TYPE: Final = "helm.sh/release.v1"
HOOK_ANNOTATION: Final = "helm.sh/hook"
BEFORE_CREATION: Final = "before-hook-creation"
ON_SUCCESS: Final = "hook-succeeded"
ON_FAILURE: Final = "hook-failed"
TEST_KINDS: Final = frozenset({"Pod", "Job"})
MAX_UNPACKED: Final = 32 * 1024 * 1024
"""Bytes. A Secret holds 1 MiB at most, which may unpack to a thousand times as much."""

MAX_PARTS: Final = 250_000
"""Brackets and commas outside of texts: each may cost a hundred bytes of memory, once read."""

MAX_TEST_HOOKS: Final = 200
MAX_HOOKS_LENGTH: Final = 4 * 1024 * 1024
"""Characters of all test hooks' manifests."""

INSTALL_ORDER: Final = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)
"""Helm's order of kinds (pkg/release/v1/util/kind_sorter.go, v4.3.1); unknown kinds come last."""

_RANKS: Final = {kind: rank for rank, kind in enumerate(INSTALL_ORDER)}
_GONE: Final = frozenset({"uninstalled", "uninstalling"})


_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
_T = TypeVar("_T")
_PART: Final = re.compile(rb'([,\[{])|"(?:[^"\\]++|\\.)*+"', re.DOTALL)
"""What begins a value, where it does not stand in a text."""


class ReleaseError(ValueError):
    """Raised when a Secret holds no release that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One object that belongs to a release's tests; only Pods and Jobs give a verdict."""

    kind: str
    name: str
    manifest: Manifest
    weight: int = 0
    delete_policies: tuple[str, ...] = (BEFORE_CREATION,)
    path: str = ""

    @property
    def is_test(self) -> bool:
        """Tell whether the object runs, and so passes or fails."""
        return self.kind in TEST_KINDS

    @property
    def api_version(self) -> str:
        """Return what stands in the manifest's apiVersion."""
        return str(self.manifest.get("apiVersion", ""))

    @property
    def namespace(self) -> str:
        """Return the namespace that the manifest names, or the empty string."""
        metadata = self.manifest.get("metadata")
        return str(metadata.get("namespace") or "") if isinstance(metadata, dict) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One revision of a release. ``hooks``: those of its tests only, in Helm's order."""

    name: str
    namespace: str
    revision: int
    status: str
    secret: str
    hooks: tuple[Hook, ...] = ()


def decode(secret: Object) -> Release:
    """Read a release from its Secret; raise ReleaseError where that cannot be done."""
    name = str(secret["metadata"]["name"])
    try:
        data = _read(dict, secret.get("data") or {}, "data")
        return _release(name, _unpack(_read(str, data.get("release"), "data.release")))
    except (TypeError, ValueError, zlib.error) as error:
        raise ReleaseError(f"Secret {name} holds no readable release: {error}") from error


def newest(secrets: Iterable[Object], name: str) -> Release | None:
    """Read the newest revision of the named release; None where there is none to test."""
    revisions = [secret for secret in secrets if _stores(secret, name)]
    if not revisions:
        return None
    last = max(revisions, key=revision)
    if _labels(last).get("status") in _GONE:
        return None
    release = decode(last)
    return None if release.status in _GONE else release


def order(hook: Hook) -> tuple[int, str, int, str]:
    """Give the key that sorts hooks as Helm runs them: weight, name, kind."""
    return hook.weight, hook.name, _RANKS.get(hook.kind, len(_RANKS)), hook.kind


def _stores(secret: Object, name: str) -> bool:
    labels = _labels(secret)
    return (
        secret.get("type") == SECRET_TYPE
        and labels.get("owner") == "helm"
        and labels.get("name") == name
    )


def _labels(secret: Object) -> Mapping[str, str]:
    return (secret.get("metadata") or {}).get("labels") or {}


def revision(secret: Object) -> int:
    """Give the revision that a release's Secret is labelled with; 0 where that is no number."""
    version = _labels(secret).get("version", "")
    return int(version) if version.isdecimal() else 0


def _unpack(value: str) -> Any:
    packed = _decoded(_decoded(value.encode()))
    if not packed.startswith(b"\x1f\x8b\x08"):
        return _load(packed)
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = reader.decompress(packed, MAX_UNPACKED)
    if reader.unconsumed_tail:
        raise ReleaseError(f"more than {MAX_UNPACKED} bytes unpacked")
    if not reader.eof:
        raise ReleaseError("the gzip stream ends early")
    return _load(text)


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:
        raise ReleaseError(f"data.release is no whole base64: {error}") from error


def _load(text: bytes) -> Any:
    """Read JSON; measure first what will come of it, for ``[[],[],…]`` grows to many times."""
    # Nearly every release has fewer even with its texts, and those are counted in no time.
    if sum(map(text.count, (b",", b"[", b"{"))) > MAX_PARTS and _parts(text) > MAX_PARTS:
        raise ReleaseError(f"more than {MAX_PARTS} values")
    return orjson.loads(text)


def _parts(text: bytes) -> int:
    """Count the parts, as far as it matters."""
    parts = (1 for found in _PART.finditer(text) if found[1])
    return sum(islice(parts, MAX_PARTS + 1))


def _release(secret: str, content: object) -> Release:
    stored = _read(dict, content, "its content")
    every = [
        _read(dict, hook, "a hook") for hook in _read(list, stored.get("hooks") or [], "hooks")
    ]
    tests = [hook for hook in every if _is_test_hook(hook)]
    if len(tests) > MAX_TEST_HOOKS:
        raise ReleaseError(f"more than {MAX_TEST_HOOKS} test hooks")
    if sum(len(str(hook.get("manifest"))) for hook in tests) > MAX_HOOKS_LENGTH:
        raise ReleaseError(f"test hooks of more than {MAX_HOOKS_LENGTH} characters")
    info = _read(dict, stored.get("info") or {}, "info")
    return Release(
        name=_read(str, stored.get("name"), "name"),
        namespace=str(stored.get("namespace") or ""),
        revision=_read(int, stored.get("version"), "version"),
        status=str(info.get("status") or ""),
        secret=secret,
        hooks=tuple(sorted(map(_hook, tests), key=order)),
    )


def _read(kind: type[_T], value: object, where: str) -> _T:
    """Give the value of the type that Helm writes there."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ReleaseError(f"{where} is {_said(value)}, not {_KINDS[kind]}")
    return value


def _said(value: object) -> str:
    return "missing" if value is None else _KINDS.get(type(value), type(value).__name__)


def _is_test_hook(stored: Mapping[str, Any]) -> bool:
    events = _read(list, stored.get("events") or [], "events of a hook")
    return "test" in events or "test-success" in events


def _hook(stored: Mapping[str, Any]) -> Hook:
    path = str(stored.get("path") or "")
    try:
        return _hook_of(stored, path)
    except ValueError as error:
        raise ReleaseError(f"hook {path}: {error}") from error


def _hook_of(stored: Mapping[str, Any], path: str) -> Hook:
    policies = _read(list, stored.get("delete_policies") or [BEFORE_CREATION], "delete_policies")
    return Hook(
        kind=str(stored.get("kind") or ""),
        name=str(stored.get("name") or ""),
        manifest=parse(str(stored.get("manifest") or "")),
        weight=_read(int, stored.get("weight") or 0, "weight"),
        delete_policies=tuple(str(policy) for policy in policies),
        path=path,
    )
