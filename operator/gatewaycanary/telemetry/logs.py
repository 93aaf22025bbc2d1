"""Logs: one line a record, as text for people or JSON for collectors.

Text is `time level logger message key=value …`. What comes from the cluster (names, messages, test
output) is never trusted: line breaks and control characters are written as escapes, so no message
can pretend to be another record. A traceback follows its record on lines that begin with `|`.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal, TextIO

from gatewaycanary.core.observation import Meta

LogFormat = Literal["text", "json"]

_ROOT = "gatewaycanary."
_NOTHING: Mapping[str, object] = MappingProxyType({})
_QUIET: Final = ("kopf", "aiohttp", "asyncio")


def configure(*, level: str, form: LogFormat, stream: TextIO | None = None) -> None:
    """Have all records of this process written to one stream."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def decided(log: logging.Logger, meta: Meta, summary: str, **facts: object) -> None:
    """Log a decision's sentence about a GatewayCanary."""
    canary = f"{meta.namespace}/{meta.name}"
    log.info("%s", summary, extra={"facts": {"canary": canary, **facts}})


class TextFormatter(logging.Formatter):
    """Writes `time level logger message key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record on one line, and its traceback below."""
        head = f"{_time(record)} {record.levelname:<7} {_logger(record)}"
        facts = "".join(f" {key}={_value(value)}" for key, value in _facts(record).items())
        lines = [f"{head} {escaped(record.getMessage())}{facts}"]
        lines += [f"| {escaped(line)}" for line in _traceback(self, record).splitlines()]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """Writes one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        entry: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": _logger(record),
            "message": record.getMessage(),
            **_facts(record),
        }
        traceback = _traceback(self, record)
        if traceback:
            entry["traceback"] = traceback
        return json.dumps(entry, default=str)


def escaped(text: str) -> str:
    """Write control characters and line breaks as escapes."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _value(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and text and not set(text) & set(' "=')
    return text if plain else json.dumps(text)


def _facts(record: logging.LogRecord) -> Mapping[str, object]:
    facts = getattr(record, "facts", _NOTHING)
    return facts if isinstance(facts, Mapping) else _NOTHING


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _logger(record: logging.LogRecord) -> str:
    return record.name.removeprefix(_ROOT)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)
