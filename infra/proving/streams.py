"""A steady, bounded stream of requests through the data plane.

Each lane is one keep-alive connection and one thread, paced by the clock: a slow answer delays
its own lane only, and the next requests do not hurry to catch up. The stream ends by itself at
its bound of requests or of time, whichever comes first.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from proving.histories import LateError

_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One request: when it began and ended, and the version that answered or the trouble."""

    began: float
    ended: float
    version: str = ""
    trouble: str = ""


class Stream:
    """Send requests for one host through one gateway and remember every answer."""

    def __init__(
        self,
        *,
        url: str,
        host: str,
        rate: float = 20.0,
        lanes: int = 2,
        most_requests: int = 20_000,
        most_seconds: float = 600.0,
        path: str = "/version",
        headers: Mapping[str, str] = {},
    ) -> None:
        self._address = urlsplit(url)
        self._headers = {"Host": host, **headers}
        self._path = path
        self._interval = lanes / rate
        self._most = most_requests // lanes
        self._end = time.monotonic() + most_seconds
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._answers: list[Answer] = []
        self._threads = [
            threading.Thread(target=self._send_all, args=(lane / rate,), daemon=True)
            for lane in range(lanes)
        ]

    def await_route(self, timeout: float = 30.0) -> None:
        """Wait until the data plane serves the host; these requests are not part of the stream."""
        deadline = time.monotonic() + timeout
        connection = self._connect()
        while (answer := self._send(connection)).trouble:
            if time.monotonic() > deadline:
                raise LateError(
                    f"the data plane does not serve {self._headers['Host']}: {answer.trouble}"
                )
            # NB: nothing outside the data plane tells when it has a route.
            self._stopped.wait(0.1)
        connection.close()

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop sending and wait for the last answers."""
        self._stopped.set()
        self.complete()

    def complete(self) -> None:
        """Wait for the last answers of a stream that ends at its bound."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def answers(self, since: float = 0.0, until: float = float("inf")) -> list[Answer]:
        """Give the answers to requests that began and ended within a span of time."""
        with self._changed:
            return [each for each in self._answers if since <= each.began and each.ended <= until]

    def lost(self) -> list[Answer]:
        """Give the requests that got no proper answer."""
        return [answer for answer in self.answers() if answer.trouble]

    def versions(self, since: float = 0.0, until: float = float("inf")) -> Counter[str]:
        """Count the answers by version."""
        return Counter(each.version for each in self.answers(since, until) if each.version)

    def await_version(self, version: str, *, since: float, timeout: float = 20.0) -> None:
        """Wait until a request that began after `since` was answered by a version."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not any(a.version == version and a.began >= since for a in self._answers):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise LateError(f"no answer from {version} within {timeout:.0f} s")
                self._changed.wait(left)

    def _send_all(self, delay: float) -> None:
        connection = self._connect()
        due = time.monotonic() + delay
        for _ in range(self._most):
            if self._stopped.wait(max(0.0, due - time.monotonic())) or due > self._end:
                break
            answer = self._send(connection)
            with self._changed:
                self._answers.append(answer)
                self._changed.notify_all()
            due = max(due + self._interval, time.monotonic())
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port or 80
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)

    def _send(self, connection: http.client.HTTPConnection) -> Answer:
        began = time.monotonic()
        try:
            connection.request("GET", self._path, headers=self._headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Answer(began=began, ended=time.monotonic(), trouble=repr(error))
        version, trouble = _read(response.status, text)
        return Answer(began=began, ended=time.monotonic(), version=version, trouble=trouble)


def _read(status: int, text: bytes) -> tuple[str, str]:
    if status != 200:
        return "", f"{status} {text[:80].decode(errors='replace')}"
    try:
        return str(json.loads(text)["version"]), ""
    except (ValueError, KeyError, TypeError):
        return "", f"unreadable: {text[:80].decode(errors='replace')}"
