"""What Helm stores of a release: one Secret a revision, the hooks in it beside the chart.

The Secret's value is base64 of base64 of gzipped JSON. Helm has then already read the hooks'
annotations: weight, events and delete policies stand beside each manifest, and the events say
``test`` where a chart wrote the older ``test-success``.

Helm tests the newest revision, whatever its status; so do we, but for a release that is
uninstalled, whose history may still be there.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests.manifests import Manifest, ManifestError, parse

SECRET_TYPE: Final = "helm.sh/release.v1"
HOOK_ANNOTATION: Final = "helm.sh/hook"
BEFORE_CREATION: Final = "before-hook-creation"
ON_SUCCESS: Final = "hook-succeeded"
ON_FAILURE: Final = "hook-failed"
TEST_KINDS: Final = frozenset({"Pod", "Job"})
MAX_UNPACKED: Final = 64 * 1024 * 1024
"""Bytes. A Secret holds 1 MiB at most, which may unpack to a thousand times as much."""

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
        stored = _unpack((secret.get("data") or {})["release"])
        return _release(name, stored)
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise ReleaseError(f"Secret {name} holds no readable release: {error}") from error


def newest(secrets: Iterable[Object], name: str) -> Release | None:
    """Read the newest revision of the named release; None where there is none to test."""
    revisions = [secret for secret in secrets if _stores(secret, name)]
    if not revisions:
        return None
    last = max(revisions, key=_revision)
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


def _revision(secret: Object) -> int:
    version = _labels(secret).get("version", "")
    return int(version) if version.isdecimal() else 0


def _unpack(value: str) -> Any:
    packed = base64.b64decode(base64.b64decode(value, validate=True), validate=True)
    if not packed.startswith(b"\x1f\x8b\x08"):
        return orjson.loads(packed)
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = reader.decompress(packed, MAX_UNPACKED)
    if reader.unconsumed_tail:
        raise ReleaseError(f"more than {MAX_UNPACKED} bytes unpacked")
    if not reader.eof:
        raise ReleaseError("the gzip stream ends early")
    return orjson.loads(text)


def _release(secret: str, stored: Mapping[str, Any]) -> Release:
    hooks = [_hook(hook) for hook in stored.get("hooks") or () if _is_test_hook(hook)]
    return Release(
        name=str(stored["name"]),
        namespace=str(stored.get("namespace") or ""),
        revision=int(stored["version"]),
        status=str((stored.get("info") or {}).get("status") or ""),
        secret=secret,
        hooks=tuple(sorted(hooks, key=order)),
    )


def _is_test_hook(stored: Mapping[str, Any]) -> bool:
    return bool({"test", "test-success"} & set(stored.get("events") or ()))


def _hook(stored: Mapping[str, Any]) -> Hook:
    path = str(stored.get("path") or "")
    try:
        manifest = parse(str(stored.get("manifest") or ""))
    except ManifestError as error:
        raise ReleaseError(f"hook {path}: {error}") from error
    return Hook(
        kind=str(stored.get("kind") or ""),
        name=str(stored.get("name") or ""),
        manifest=manifest,
        weight=int(stored.get("weight") or 0),
        delete_policies=tuple(stored.get("delete_policies") or (BEFORE_CREATION,)),
        path=path,
    )
