"""A way to the API server that can be cut, as by a network that fails."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit


class Way:
    """Pass connections on to the API server, or refuse them all."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._open = True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Give the port to connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        serving = asyncio.start_server(self._pass, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._open = False
        self._loop.call_soon_threadsafe(self._break)

    def mend(self) -> None:
        """Let connections through again."""
        self._open = True

    def close(self) -> None:
        """Stop listening."""
        self.cut()
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _break(self) -> None:
        for end in list(self._ends):
            end.transport.abort()

    async def _finish(self) -> None:
        assert self._server is not None
        self._server.close()
        mine = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not mine]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._ends |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            for end in (writer, far_writer):
                self._ends.discard(end)
                end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextmanager
def way_to(kubeconfig: Path, home: Path) -> Iterator[tuple[Way, Path]]:
    """Give a way to the API server of a kubeconfig, and the kubeconfig that leads over it."""
    text = json.loads(kubeconfig.read_text())
    cluster = text["clusters"][0]["cluster"]
    way = Way(urlsplit(cluster["server"]).port or 443)
    way.start()
    cluster["server"] = f"https://127.0.0.1:{way.port}"
    path = home / "way.kubeconfig"
    path.write_text(json.dumps(text))
    try:
        yield way, path
    finally:
        way.close()
