"""Objects as the API server tells them, written short."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gatewaycanary.core.naming import CANARY_LABEL, OWNER_LABEL, RUN_LABEL
from gatewaycanary.helmtests.release import Hook
from gatewaycanary.helmtests.render import Aim, RunKey, ServiceAddress, Target

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UID = "5a0e6c6e-0000-4000-8000-000000000001"
KEY = RunKey(
    uid=UID, namespace="shop", canary="gateway", revision="abc-1", weight=25, suite=0, run=1
)

Json = dict[str, Any]


def at(seconds: float = 0.0) -> datetime:
    """Give a moment after the start."""
    return START + timedelta(seconds=seconds)


def stamp(seconds: float = 0.0) -> str:
    """Give a moment after the start as Kubernetes writes it."""
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def aim(target: Target = "canary", *, sidecar: bool = True, timeout: float = 300) -> Aim:
    """Give the aim of a suite."""
    return Aim(
        target=target,
        timeout=timedelta(seconds=timeout),
        stable=ServiceAddress(name="gateway", cluster_ips=("10.0.0.1",)),
        canary=ServiceAddress(name="gateway-canary", cluster_ips=("10.0.0.2", "fd00::2")),
        image="example/gateway:2",
        step="3/6",
        sidecar=sidecar,
    )


def ended(name: str = "test", *, code: int = 0, begin: float = 1, end: float = 3) -> Json:
    """Give the status of a container that has ended."""
    reason = "Completed" if code == 0 else "Error"
    state = {
        "exitCode": code,
        "reason": reason,
        "startedAt": stamp(begin),
        "finishedAt": stamp(end),
    }
    return {"name": name, "state": {"terminated": state}}


def waiting(
    reason: str, message: str = "", *, name: str = "test", restarts: int = 0, last: float = 0
) -> Json:
    """Give the status of a container that waits; ``last``: when its last run ended with 1."""
    container: Json = {
        "name": name,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
    }
    if restarts:
        container["lastState"] = ended(code=1, end=last)["state"]
    return container


def running(name: str = "test") -> Json:
    """Give the status of a container that runs."""
    return {"name": name, "state": {"running": {"startedAt": stamp(1)}}}


def condition(kind: str, *, status: str = "True", seconds: float = 0, **fields: str) -> Json:
    """Give a condition."""
    return {"type": kind, "status": status, "lastTransitionTime": stamp(seconds), **fields}


def pod(
    phase: str = "Running",
    *,
    name: str = "pod",
    containers: Sequence[Json] = (),
    init: Sequence[Json] = (),
    conditions: Sequence[Json] = (),
    labels: Mapping[str, str] | None = None,
    deleted: float | None = None,
    owner: str = "",
    **status: str,
) -> Json:
    """Give a pod; ``deleted``: when its deletion was asked for, with a grace of 30 s."""
    metadata: Json = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "creationTimestamp": stamp(),
        "labels": dict(labels or {}),
    }
    if owner:
        metadata["ownerReferences"] = [{"kind": "Job", "uid": owner}]
    if deleted is not None:
        metadata["deletionTimestamp"] = stamp(deleted + 30)
        metadata["deletionGracePeriodSeconds"] = 30
    return {
        "metadata": metadata,
        "status": {
            "phase": phase,
            "startTime": stamp(),
            "containerStatuses": list(containers),
            "initContainerStatuses": list(init),
            "conditions": list(conditions),
            **status,
        },
    }


def job(
    *, name: str = "job", conditions: Sequence[Json] = (), labels: Mapping[str, str] | None = None
) -> Json:
    """Give a Job."""
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": labels or {}}
    return {"metadata": metadata, "status": {"conditions": list(conditions)}}


def our_labels(key: RunKey = KEY) -> dict[str, str]:
    """Give the labels by which an object belongs to a run."""
    return {OWNER_LABEL: key.uid, CANARY_LABEL: key.canary, RUN_LABEL: key.label}


def manifest(
    kind: str = "Pod",
    name: str = "smoke",
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> Json:
    """Give a hook's manifest as a chart writes it."""
    versions = {"Job": "batch/v1", "Role": "rbac.authorization.k8s.io/v1"}
    container = {"name": "test", "image": "toolbox", "command": ["true"]}
    specs: dict[str, Json] = {
        "Pod": {"spec": {"containers": [container], "restartPolicy": "Never"}},
        "Job": {"spec": {"template": {"spec": {"containers": [container]}}}},
    }
    return {
        "apiVersion": versions.get(kind, "v1"),
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": dict(labels or {}),
            "annotations": {"helm.sh/hook": "test", **(annotations or {})},
        },
        **specs.get(kind, {}),
        **fields,
    }


def hook(
    kind: str = "Pod",
    name: str = "smoke",
    *,
    weight: int = 0,
    policies: Sequence[str] = ("before-hook-creation",),
    written: Json | None = None,
) -> Hook:
    """Give a hook of a release's tests."""
    return Hook(
        kind=kind,
        name=name,
        weight=weight,
        delete_policies=tuple(policies),
        manifest=manifest(kind, name) if written is None else written,
        path=f"chart/templates/tests/{name}.yaml",
    )


def stored_hook(
    kind: str = "Pod",
    name: str = "smoke",
    *,
    text: str | None = None,
    events: Sequence[str] = ("test",),
    **fields: Any,
) -> Json:
    """Give a hook as Helm stores it."""
    return {
        "name": name,
        "kind": kind,
        "path": f"chart/templates/tests/{name}.yaml",
        "manifest": json.dumps(manifest(kind, name)) if text is None else text,
        "events": list(events),
        "last_run": {"phase": ""},
        **fields,
    }


def secret(
    *hooks: Json,
    name: str = "shop",
    revision: int = 1,
    status: str = "deployed",
    packed: bool = True,
) -> Json:
    """Give the Secret in which Helm stores a revision of a release."""
    release = {
        "name": name,
        "namespace": "shop",
        "version": revision,
        "info": {"status": status},
        "hooks": list(hooks),
    }
    text = json.dumps(release).encode()
    value = base64.b64encode(gzip.compress(text) if packed else text)
    labels = {"owner": "helm", "name": name, "version": str(revision), "status": status}
    return {
        "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "labels": labels},
        "type": "helm.sh/release.v1",
        "data": {"release": base64.b64encode(value).decode()},
    }
