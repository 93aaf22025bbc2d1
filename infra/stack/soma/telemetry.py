"""Metrics and logs: one line of JSON each, never with a setting's value in it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from soma.settings import Role, Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What a process counts."""

    def __init__(self, role: Role, *, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.build = Gauge("soma_build_info", "Always 1", ("role", "version"), registry=registry)
        self.build.labels(role.value, version).set(1)
        self.requests = Counter(
            "soma_http_requests_total",
            "Requests by route and status",
            ("method", "route", "code"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "soma_http_request_seconds",
            "How long they took",
            ("method", "route"),
            buckets=_SECONDS,
            registry=registry,
        )
        self.calls = Counter(
            "soma_grpc_calls_total",
            "Calls of memory-service",
            ("method", "code"),
            registry=registry,
        )
        self.entries = Counter(
            "soma_entries_total",
            "Deliveries by stream and outcome: done, repeated, failed, waiting, dead",
            ("stream", "outcome"),
            registry=registry,
        )
        self.entry_seconds = Histogram(
            "soma_entry_seconds",
            "How long a delivery was in hand",
            ("stream",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.relayed = Counter(
            "soma_outbox_relayed_total",
            "Outbox rows sent: first or again",
            ("send",),
            registry=registry,
        )
        self.unsettled = Gauge(
            "soma_outbox_unsettled", "Outbox rows whose effect is to come", registry=registry
        )
        self.tools = Counter(
            "soma_tools_total", "Tools carried out", ("tool", "outcome"), registry=registry
        )

    def tell_entry(self, stream: str, outcome: str, seconds: float) -> None:
        """Count a delivery."""
        self.entries.labels(stream, outcome).inc()
        self.entry_seconds.labels(stream).observe(seconds)


class _Lines(logging.Formatter):
    def __init__(self, role: Role | None, version: str) -> None:
        super().__init__()
        self._always = {"role": role.value if role else "migrate", "version": version}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            **self._always,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_lines(settings: Settings, *, role: Role | None) -> None:
    """Write logs to standard output."""
    lines = logging.StreamHandler(sys.stdout)
    lines.setFormatter(_Lines(role, settings.version))
    logging.basicConfig(level=settings.log_level, handlers=[lines], force=True)
    for name in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
