"""Names, labels and annotations that are ours, in one place."""

from __future__ import annotations

import hashlib

GROUP = "canary.soma.dev"
FINALIZER = f"{GROUP}/traffic"
FIELD_MANAGER = "gatewaycanary"
OWNER_LABEL = f"{GROUP}/owner-uid"
CANARY_LABEL = f"{GROUP}/canary"
REVISION_LABEL = f"{GROUP}/revision"
RUN_LABEL = f"{GROUP}/run"
TEST_LABEL = f"{GROUP}/test"
APPROVE_ANNOTATION = f"{GROUP}/approve"
ABORT_ANNOTATION = f"{GROUP}/abort"
RETRY_ANNOTATION = f"{GROUP}/retry"
WITHDRAWN_ANNOTATION = f"{GROUP}/withdrawn"


def digest(text: str, *, length: int = 10) -> str:
    """Give a short, stable, name-safe hash."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def revision(template_hash: str, ordinal: int) -> str:
    """Name a rollout: what is rolled out, and which start it is."""
    return f"{template_hash}-{ordinal}"


def canary_name(target: str) -> str:
    """Name the canary Deployment."""
    return f"{target}-canary"


def hook_object_name(
    hook: str, *, uid: str, revision: str, weight: int, suite: int, run: int
) -> str:
    """Name a test object: the same for the same run, at most 63 characters."""
    key = digest(f"{uid}/{revision}/{weight}/{suite}/{run}/{hook}")
    return f"{hook[: 63 - len(key) - 1].rstrip('-.')}-{key}"
