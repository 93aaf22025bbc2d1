"""Policies that scenarios set around the gateway."""

from __future__ import annotations

from typing import Any

FENCE: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "fence"},
    "spec": {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "gateway"}},
        "ingress": [{}],
    },
}
"""Guards stable's pods and leaves the canary's out."""
