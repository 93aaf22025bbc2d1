"""Events as manifests: pure, bounded, and named so that a repeat is no second event.

The name is a hash of what the event says and of the position that it belongs to. A decision that
is made again after a crash or a conflict gives the same name, and the API server answers
AlreadyExists.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gatewaycanary.api.crd import GROUP, KIND, VERSION
from gatewaycanary.api.status import Status
from gatewaycanary.core.decision import Event
from gatewaycanary.core.naming import digest
from gatewaycanary.core.observation import Meta

CONTROLLER = f"{GROUP}/gatewaycanary"
NOTE_LIMIT = 1024
WORD_LIMIT = 128
ACTION = "Rollout"
CUT = "…"


def manifest(
    event: Event, *, meta: Meta, status: Status, instance: str, now: datetime
) -> dict[str, Any]:
    """Build the Event about a GatewayCanary; ``status`` is the one that goes with it."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name(event, meta=meta, status=status), "namespace": meta.namespace},
        "eventTime": _micro_time(now),
        "type": "Warning" if event.warning else "Normal",
        "reason": plain(event.reason, limit=WORD_LIMIT),
        "action": ACTION,
        "note": plain(event.message, limit=NOTE_LIMIT),
        "reportingController": CONTROLLER,
        "reportingInstance": plain(instance, limit=WORD_LIMIT),
        "regarding": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
        },
    }


def name(event: Event, *, meta: Meta, status: Status) -> str:
    """Name the event: the same for the same news at the same position."""
    state = status.state
    position = (
        status.observed_generation,
        state.ordinal,
        state.revision,
        state.announced,
        state.run,
        state.corrections,
    )
    said = "/".join(map(str, (meta.uid, *position, event.reason, event.message)))
    return f"{meta.name}.{digest(said, length=16)}"


def plain(text: str, *, limit: int) -> str:
    """Give the text on one line without control characters, cut to the limit."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return shown if len(shown) <= limit else shown[: limit - len(CUT)] + CUT


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
