"""What the operator has made and not yet taken away again."""

from __future__ import annotations

from gatewaycanary.kube.resources import Object
from proving import holdings, routes, timelines
from proving.histories import History

OWNABLE = ("Deployment", "Service", "Ingress", "Pod", "Job")
"""Kinds of which it makes objects of its own."""


def owned(history: History) -> list[Object]:
    """Give its own objects that are there and not going."""
    return [
        item
        for kind in OWNABLE
        for item in history.all_current(kind)
        if timelines.ours(item) and "deletionTimestamp" not in item["metadata"]
    ]


def traced(history: History) -> list[Object]:
    """Give the routes of people that still carry something of it."""
    return [
        item for kind in routes.HELD for item in history.all_current(kind) if holdings.trace(item)
    ]
