"""Liveness, readiness and metrics over HTTP, answered by threads of their own.

A thread can tell the truth about a stuck event loop: liveness asks the loop to do something and
waits for it, so that a loop which no longer turns is not called live.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

LOOP_PATIENCE = 5.0
"""Seconds that the loop may take to turn once."""

Check = Callable[[], bool]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Leave scrapes and probes out of the log."""


def loop_turns(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether the event loop still turns."""
    turned = threading.Event()
    try:
        loop.call_soon_threadsafe(turned.set)
    except RuntimeError:
        return False
    return turned.wait(LOOP_PATIENCE)


def application(*, live: Check, ready: Check, metrics: Application) -> Application:
    """Give the WSGI application: /healthz, /readyz and /metrics."""
    checks = {"/healthz": live, "/livez": live, "/readyz": ready}

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start)
        check = checks.get(path)
        if check is None:
            return _plain(start, "404 Not Found", "not found")
        fine = check()
        return _plain(start, "200 OK" if fine else "503 Service Unavailable", str(fine))

    return answer


def _plain(start: Callable[..., Any], status: str, text: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]


class Endpoint:
    """One port that answers until it is closed."""

    def __init__(self, app: Application, *, port: int, host: str = "") -> None:
        self._server = make_server(host, port, app, server_class=_Server, handler_class=_Silent)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name=f"http-{port}", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Give the port that it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
