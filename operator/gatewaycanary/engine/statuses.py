"""The stored status: where it stands, and the merge patch by which only what differs goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewaycanary.api.status import Stage, Status, dump_status


def stored_stage(canary: Mapping[str, Any]) -> Stage:
    """Tell where a raw GatewayCanary stands; RESTING where that cannot be read."""
    status = canary.get("status")
    state = status.get("state") if isinstance(status, Mapping) else None
    stage = state.get("stage") if isinstance(state, Mapping) else None
    return Stage(stage) if isinstance(stage, str) and stage in set(Stage) else Stage.RESTING


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Give the merge patch (RFC 7386) that makes ``new`` of ``old``."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if key not in old:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(before, dict):
            inner = difference(before, value)
            if inner:
                patch[key] = inner
        elif before != value:
            patch[key] = value
    return patch


def status_patch(
    stored: Mapping[str, Any], status: Status, *, resource_version: str
) -> dict[str, Any] | None:
    """Give the patch that stores a status over the one of that version; None changes nothing."""
    patch = difference(stored, dump_status(status))
    if not patch:
        return None
    return {"metadata": {"resourceVersion": resource_version}, "status": patch}
