"""Metrics and logs: one line of JSON each, never with a setting's value in it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from soma.settings import Role, Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What a process counts."""

    def __init__(self, role: Role, *, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._gauge("soma_build_info", "Always 1", "role", "version").labels(role, version).set(1)
        self.in_hand = self._gauge("soma_in_hand", "Requests or entries that are being worked on")
        self.requests = self._counter(
            "soma_http_requests_total", "Requests by route and status", "method", "route", "code"
        )
        self.request_seconds = self._seconds(
            "soma_http_request_seconds", "How long they took", "method", "route"
        )
        self.calls = self._counter(
            "soma_grpc_calls_total", "Calls of memory-service", "method", "code"
        )
        self.entries = self._counter(
            "soma_entries_total",
            "Deliveries by stream and outcome: done, repeated, failed, waiting, dead",
            "stream",
            "outcome",
        )
        self.entry_seconds = self._seconds(
            "soma_entry_seconds", "How long a delivery was in hand", "stream"
        )
        self.relayed = self._counter(
            "soma_outbox_relayed_total", "Outbox rows sent: first or again", "send"
        )
        self.unsettled = self._gauge("soma_outbox_unsettled", "Outbox rows whose effect is to come")
        self.tools = self._counter("soma_tools_total", "Tools carried out", "tool", "outcome")

    def tell_entry(self, stream: str, outcome: str, seconds: float) -> None:
        """Count a delivery."""
        self.entries.labels(stream, outcome).inc()
        self.entry_seconds.labels(stream).observe(seconds)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(name, told, labels, registry=self.registry)

    def _seconds(self, name: str, told: str, *labels: str) -> Histogram:
        return Histogram(name, told, labels, buckets=_SECONDS, registry=self.registry)


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
