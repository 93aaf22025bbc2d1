"""What probes and scrapes are told, over real ports."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import make_wsgi_app

from gatewaycanary.handlers import probes
from gatewaycanary.telemetry.metrics import Metrics

Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that serves checks on a free port, for as long as the test lasts."""
    served: list[probes.Endpoint] = []

    def start(
        *, live: Callable[[], bool] = lambda: True, ready: Callable[[], bool] = lambda: True
    ) -> int:
        app = probes.application(live=live, ready=ready, metrics=make_wsgi_app(Metrics().registry))
        served.append(probes.Endpoint(app, port=0))
        return served[-1].port

    yield start
    for endpoint in served:
        endpoint.close()


def ask(port: int, path: str, *, host: str = "127.0.0.1") -> tuple[int, str]:
    """Ask for a path; give the answer's code and text."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("fine", [True, False])
def test_probes(serve: Serve, fine: bool) -> None:
    """Each path has its own truth."""
    code = 200 if fine else 503
    port = serve(live=lambda: fine)
    assert ask(port, "/healthz")[0] == ask(port, "/livez")[0] == code
    assert ask(port, "/readyz")[0] == 200
    port = serve(ready=lambda: fine)
    assert ask(port, "/readyz")[0] == code
    assert ask(port, "/healthz")[0] == 200


def test_metrics_and_what_is_not_there(serve: Serve) -> None:
    """The series are served beside the probes, and nothing else is."""
    port = serve()
    code, text = ask(port, "/metrics")
    assert code == 200
    assert "gatewaycanary_leader 0.0" in text
    assert ask(port, "/")[0] == 404
    assert ask(port, "/healthz/more")[0] == 404


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_both_address_families(serve: Serve) -> None:
    """A cluster of either kind reaches the same port."""
    port = serve()
    assert ask(port, "/healthz", host="[::1]")[0] == 200
    assert ask(port, "/healthz", host="127.0.0.1")[0] == 200


def test_a_silent_client_keeps_nobody_waiting(serve: Serve) -> None:
    """Each request has a thread of its own."""
    port = serve()
    with socket.create_connection(("127.0.0.1", port)):
        assert ask(port, "/healthz")[0] == 200


def test_a_port_that_is_taken(serve: Serve) -> None:
    """The error names it."""
    port = serve()
    with pytest.raises(OSError, match=f"cannot listen on port {port}") as refused:
        probes.Endpoint(
            probes.application(live=bool, ready=bool, metrics=make_wsgi_app()), port=port
        )
    assert refused.value.errno == errno.EADDRINUSE


async def test_a_loop_that_turns_is_live(serve: Serve) -> None:
    """And how long it took to turn is told."""
    loop, lags = asyncio.get_running_loop(), list[float]()
    port = serve(live=lambda: probes.loop_turns(loop, observe=lags.append))
    code, _ = await asyncio.to_thread(ask, port, "/healthz")
    assert code == 200
    assert len(lags) == 1
    assert 0.0 <= lags[0] < probes.LOOP_PATIENCE


async def test_a_stuck_loop_is_not_live(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """While something blocks it the answer is 503; afterwards it is live again."""
    monkeypatch.setattr(probes, "LOOP_PATIENCE", 0.2)
    loop, lags = asyncio.get_running_loop(), list[float]()
    port = serve(live=lambda: probes.loop_turns(loop, observe=lags.append))
    codes: list[int] = []
    asking = threading.Thread(target=lambda: codes.append(ask(port, "/healthz")[0]))
    asking.start()
    time.sleep(0.6)  # noqa: ASYNC251 - the very thing that is to be noticed
    asking.join()
    assert codes == [503]
    await asyncio.sleep(0)
    assert max(lags) >= 0.2
    assert (await asyncio.to_thread(ask, port, "/healthz"))[0] == 200


def test_a_closed_loop_is_not_live() -> None:
    """Nor does asking it fail."""
    loop = asyncio.new_event_loop()
    loop.close()
    assert not probes.loop_turns(loop)


def test_a_closed_endpoint_frees_its_port() -> None:
    """Its thread ends too."""
    app = probes.application(live=bool, ready=bool, metrics=make_wsgi_app())
    first = probes.Endpoint(app, port=0)
    port = first.port
    first.close()
    assert not any(thread.name == f"http-{port}" for thread in threading.enumerate())
    probes.Endpoint(app, port=port).close()
