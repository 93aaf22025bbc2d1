"""The end of a failed test's log, cut to what a status can carry and a terminal can show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from gatewaycanary.core.writes import Object

MAX_LINES: Final = 20
MAX_LENGTH: Final = 2048
"""Characters."""

TAIL_LINES: Final = 40
"""Lines to ask the API server for: more than are shown, as blank ones are left out."""

SILENT: Final = "(the test wrote nothing)"

_ESCAPES: Final = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|[ -/]*[0-~])"
)
_CONTROLS: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Which log to read. Of a container that waits, the API server gives its last run's."""

    pod: str
    container: str


def tail(log: str) -> str:
    """Give the last lines of a log as plain text, never empty."""
    plain = _CONTROLS.sub("", _ESCAPES.sub("", _last_rewrite(log)).replace("\t", "    "))
    lines = [line.rstrip() for line in plain.split("\n") if line.strip()]
    text = "\n".join(lines[-MAX_LINES:])
    if len(text) > MAX_LENGTH:
        text = "…" + text[-(MAX_LENGTH - 1) :]
    return text or SILENT


def source(pod: Object) -> LogSource | None:
    """Choose the container whose log tells most: the first that failed, else one that ran."""
    status = pod.get("status") or {}
    statuses = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for tells in (_failed, _failed_before, _runs, _ended):
        for container in statuses:
            if tells(container):
                return LogSource(
                    pod=str(pod["metadata"]["name"]),
                    container=str(container.get("name", "")),
                )
    return None


def _last_rewrite(log: str) -> str:
    """Keep of each line what a terminal would show at its end: progress bars write it anew."""
    lines = log.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _state(container: dict[str, Any], when: str, kind: str) -> dict[str, Any] | None:
    return (container.get(when) or {}).get(kind)


def _failed(container: dict[str, Any]) -> bool:
    ended = _state(container, "state", "terminated")
    return ended is not None and ended.get("exitCode") != 0


def _failed_before(container: dict[str, Any]) -> bool:
    waits = _state(container, "state", "waiting") is not None
    return waits and _state(container, "lastState", "terminated") is not None


def _runs(container: dict[str, Any]) -> bool:
    return _state(container, "state", "running") is not None


def _ended(container: dict[str, Any]) -> bool:
    return _state(container, "state", "terminated") is not None
