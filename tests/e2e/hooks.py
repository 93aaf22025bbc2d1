"""Helm test hooks as charts carry them, one builder a kind."""

from __future__ import annotations

from typing import Any

TOOLBOX = "localhost/toolbox:1"
GREETS_WELL = "curl -fsS http://gateway/ > /tmp/greeting && ! grep -q broken /tmp/greeting"
"""What 3.0.0 alone does not pass."""


def _annotations(weight: int, policy: str) -> dict[str, str]:
    found = {"helm.sh/hook": "test", "helm.sh/hook-weight": str(weight)}
    return found | ({"helm.sh/hook-delete-policy": policy} if policy else {})


def pod_spec(script: str, **further: Any) -> dict[str, Any]:
    """Run a shell script once in the toolbox."""
    container = {
        "name": "test",
        "image": TOOLBOX,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
    }
    # A shell as first process heeds no SIGTERM: without this each deletion would take 30 s.
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        **further,
    }


def pod(
    script: str = GREETS_WELL,
    *,
    name: str = "greets-well",
    weight: int = 0,
    policy: str = "",
    labels: dict[str, str] | None = None,
    **further: Any,
) -> dict[str, Any]:
    """Test by a Pod, the usual kind."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "annotations": _annotations(weight, policy),
            "labels": labels or {},
        },
        "spec": pod_spec(script, **further),
    }


def job(script: str = GREETS_WELL, *, name: str = "greets-well", weight: int = 0) -> dict[str, Any]:
    """Test by a Job."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": _annotations(weight, "")},
        "spec": {"backoffLimit": 0, "template": {"spec": pod_spec(script)}},
    }


def support(kind: str, name: str, weight: int = -5, **content: Any) -> dict[str, Any]:
    """Give a test an object that it needs, as a hook of the same kind."""
    metadata = {"name": name, "annotations": _annotations(weight, "")}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def fails_at(weight: int, *, name: str = "fails-at") -> dict[str, Any]:
    """Test what goes wrong at one weight only."""
    script = f'echo "at $GATEWAYCANARY_WEIGHT %"; test "$GATEWAYCANARY_WEIGHT" != {weight}'
    return pod(script, name=name)
