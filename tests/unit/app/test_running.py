"""How the parts of one operator begin and end together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatewaycanary import app
from gatewaycanary.engine.options import Options
from gatewaycanary.engine.supervisor import Supervisor, TaskEndedError
from gatewaycanary.kube.connection import Connection, connect
from gatewaycanary.kube.reflector import State
from gatewaycanary.telemetry.metrics import Metrics
from unit.engine.fakes import FakeApi
from unit.handlers.test_watching import KUBECONFIG
from unit.kube.virtual_time import settle


@pytest.fixture
async def connection(tmp_path: Path) -> Connection:
    """Give a connection that is never used."""
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    return await connect(kubeconfig=str(path))


@pytest.fixture
def engine(connection: Connection) -> app.Engine:
    """Give an engine on an API in memory, not started."""
    return app.build(
        Options(workers=2), connection=connection, transport=FakeApi(), metrics=Metrics()
    )


@pytest.fixture
def supervisor() -> Supervisor:
    """Give a supervisor."""
    return Supervisor()


class Kopf:
    """kopf, as far as its end matters."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
        self._error = error
        self.stopped = False
        monkeypatch.setattr(app, "_kopf", self._run)

    async def _run(
        self,
        engine: app.Engine,
        connection: Connection,
        *,
        stop: asyncio.Event,
        ready: asyncio.Event,
    ) -> None:
        if self._error is not None:
            raise self._error
        await stop.wait()
        self.stopped = True


async def forever() -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def test_the_end_of_kopf_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
    engine: app.Engine,
    supervisor: Supervisor,
    connection: Connection,
) -> None:
    """It takes the operator with it, and its own error is told."""
    Kopf(monkeypatch, ZeroDivisionError("oops"))
    supervisor.start("worker", forever())
    with pytest.raises(TaskEndedError, match="task kopf ended") as ended:
        await app._until_stopped(engine, supervisor, connection)
    assert isinstance(ended.value.__cause__, ZeroDivisionError)


async def test_the_end_of_a_task_stops_kopf(
    monkeypatch: pytest.MonkeyPatch,
    engine: app.Engine,
    supervisor: Supervisor,
    connection: Connection,
) -> None:
    """What is left is told to end, and the task's own error is told."""
    kopf = Kopf(monkeypatch, None)

    async def fail() -> None:
        raise ZeroDivisionError("oops")

    supervisor.start("worker", fail())
    with pytest.raises(TaskEndedError, match="task worker ended"):
        await app._until_stopped(engine, supervisor, connection)
    assert kopf.stopped


async def test_who_has_no_caches_does_not_stand_for_election(
    engine: app.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader that cannot look would keep out those who can."""
    stood = asyncio.Event()

    async def run() -> None:
        stood.set()

    lease = engine.lease
    assert lease is not None
    monkeypatch.setattr(lease, "run", run)
    standing = asyncio.create_task(engine._stand(lease))
    for reflector in engine.caches.watched:
        await settle()
        assert not stood.is_set()
        reflector.state = State.FOLLOWING
        reflector.synced.set()
    await standing
    assert stood.is_set()


async def test_without_election(connection: Connection) -> None:
    """There is no lease, and the writes go out unfenced."""
    engine = app.build(
        Options(leader_elect=False),
        connection=connection,
        transport=FakeApi(),
        metrics=Metrics(),
    )
    assert engine.lease is None


def test_an_error_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The cause is named, without a stack trace."""

    async def serve(options: Options) -> None:
        raise TaskEndedError("task worker-3 ended") from ZeroDivisionError("oops")

    monkeypatch.setattr(app, "serve", serve)
    monkeypatch.setattr("gatewaycanary.telemetry.logs.configure", lambda **_: None)
    assert app.run(Options()) == 1
    (record,) = caplog.records
    assert record.getMessage() == "stopping: task worker-3 ended: oops"
    assert record.exc_info is None


def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that was told to stop ends with 0."""

    async def serve(options: Options) -> None:
        """End at once."""

    monkeypatch.setattr(app, "serve", serve)
    monkeypatch.setattr("gatewaycanary.telemetry.logs.configure", lambda **_: None)
    assert app.run(Options()) == 0
