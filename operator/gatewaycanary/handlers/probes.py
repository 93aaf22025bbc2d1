"""Liveness, readiness and metrics over HTTP, answered by threads of their own.

A thread can tell the truth about a stuck event loop: liveness asks the loop to do something and
waits for it, so that a loop which no longer turns is not called live.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from time import perf_counter
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

LOOP_PATIENCE = 5.0
"""Seconds that the loop may take to turn once."""

Check = Callable[[], bool]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    """Listen on IPv6 and IPv4 alike, whichever the cluster has."""

    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # NB: HTTPServer's own asks the DNS for this host's name, which may take half a minute.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()


class _Silent(WSGIRequestHandler):
    timeout = 10.0
    """Seconds that a client may be silent; each holds a thread."""

    def log_message(self, *_: Any) -> None:
        """Leave scrapes and probes out of the log."""


def unobserved(seconds: float) -> None:
    """Take no note of how long the loop took."""


def loop_turns(
    loop: asyncio.AbstractEventLoop, *, observe: Callable[[float], None] = unobserved
) -> bool:
    """Tell whether the event loop still turns; ``observe`` is told how long that took it."""
    asked = perf_counter()
    turned = threading.Event()

    def turn() -> None:
        observe(perf_counter() - asked)
        turned.set()

    try:
        loop.call_soon_threadsafe(turn)
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
    """One port that answers until it is closed.

    Raises:
        OSError: the port cannot be listened on.
    """

    def __init__(self, app: Application, *, port: int) -> None:
        try:
            self._server = make_server("", port, app, server_class=_Server, handler_class=_Silent)
        except OSError as error:
            said = f"cannot listen on port {port}: {error.strerror}"
            raise OSError(error.errno, said) from error
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
