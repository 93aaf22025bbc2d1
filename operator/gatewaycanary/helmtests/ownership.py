"""Whose an object in our way is: this run's, an earlier run's, another canary's, Helm's, foreign.

Supporting objects keep the names that the chart gives them, so they may exist already: a crash of
ours, an earlier run or ``helm test`` left them. Those of the same release and the same hook may be
used, and replaced where their policy says so, exactly as ``helm test`` would. Anything else is not
touched.

NB: Helm itself marks hooks with nothing but the annotations in the chart. An object is taken for
the release's where it says so (``meta.helm.sh``), where the chart's usual labels say so, or where
Helm is one of its field managers.
"""

from __future__ import annotations

from enum import Enum, auto

from gatewaycanary.core.naming import OWNER_LABEL, RUN_LABEL
from gatewaycanary.helmtests.memory import Found
from gatewaycanary.helmtests.release import HOOK_ANNOTATION, Hook
from gatewaycanary.helmtests.render import RunKey

_RELEASE_NAME = "meta.helm.sh/release-name"
_RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
_MANAGED_BY = "app.kubernetes.io/managed-by"
_INSTANCE = "app.kubernetes.io/instance"


class Owner(Enum):
    """Whose an object is."""

    THIS_RUN = auto()
    EARLIER_RUN = auto()
    OTHER_CANARY = auto()
    RELEASE = auto()
    FOREIGN = auto()


def owner(found: Found, hook: Hook, *, key: RunKey, release: str) -> Owner:
    """Tell whose an object of this hook's kind and name is."""
    uid = found.labels.get(OWNER_LABEL, "")
    if uid == key.uid:
        this = found.labels.get(RUN_LABEL) == key.label
        return Owner.THIS_RUN if this else Owner.EARLIER_RUN
    if hook.is_test or not _same_hook(found, hook):
        return Owner.FOREIGN
    if not _of_release(found, hook, release=release, namespace=key.namespace):
        return Owner.FOREIGN
    return Owner.OTHER_CANARY if uid else Owner.RELEASE


def _same_hook(found: Found, hook: Hook) -> bool:
    written = (hook.manifest["metadata"].get("annotations") or {}).get(HOOK_ANNOTATION)
    return found.annotations.get(HOOK_ANNOTATION, "") == written


def _of_release(found: Found, hook: Hook, *, release: str, namespace: str) -> bool:
    if _RELEASE_NAME in found.annotations:
        home = found.annotations.get(_RELEASE_NAMESPACE, namespace)
        return found.annotations[_RELEASE_NAME] == release and home == namespace
    written = (hook.manifest["metadata"].get("labels") or {}).get(_INSTANCE)
    if found.labels.get(_INSTANCE) != written:
        return False
    return found.by_helm or found.labels.get(_MANAGED_BY) == "Helm" or OWNER_LABEL in found.labels
