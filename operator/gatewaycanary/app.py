"""Put the parts together and run them until a signal or the first failure.

The engine's tasks start before kopf, which on its exit cancels what started after it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

import kopf
from prometheus_client import make_wsgi_app

from gatewaycanary.engine.act import Actor
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.memory import Memory
from gatewaycanary.engine.observe import Observer
from gatewaycanary.engine.options import Options
from gatewaycanary.engine.queue import Priority, Queue
from gatewaycanary.engine.reconciler import Reconciler, utc_now
from gatewaycanary.engine.record import Recorder
from gatewaycanary.engine.relations import Key
from gatewaycanary.engine.sources import Sources
from gatewaycanary.engine.supervisor import Supervisor, TaskEndedError
from gatewaycanary.engine.testing import Suites
from gatewaycanary.engine.writer import Writer
from gatewaycanary.handlers import probes, settings, shells, watching
from gatewaycanary.kube.backoff import Backoff
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.connection import Connection, connect
from gatewaycanary.kube.errors import KubeError
from gatewaycanary.kube.lease import Lease
from gatewaycanary.kube.limiter import Limiter
from gatewaycanary.kube.transport import Transport
from gatewaycanary.telemetry import logs
from gatewaycanary.telemetry.metrics import Metrics
from gatewaycanary.telemetry.timing import Reactions

SHELL_PATIENCE = 1.0
"""Seconds that kopf gets for its own farewell."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The parts of one running operator."""

    options: Options
    queue: Queue[Key]
    caches: Caches
    sources: Sources
    reconciler: Reconciler
    lease: Lease | None
    metrics: Metrics

    def start(self, supervisor: Supervisor) -> None:
        """Start everything at once; the workers wait until this replica leads."""
        for number, reflector in enumerate(self.caches.reflectors):
            supervisor.start(f"reflector-{number}", reflector.run())
        if self.lease is not None:
            supervisor.start("lease", self._stand(self.lease))
        leads = asyncio.Event()
        for number in range(self.options.workers):
            supervisor.start(f"worker-{number}", self._work(leads, first=number == 0))

    async def _stand(self, lease: Lease) -> None:
        """Stand for election once the caches are warm: who cannot look must not keep others out."""
        await self.caches.synced()
        await lease.run()

    async def _work(self, leads: asyncio.Event, *, first: bool) -> None:
        if first:
            await self._lead()
            leads.set()
        await leads.wait()
        await self.reconciler.work()

    async def _lead(self) -> None:
        await self.caches.synced()
        if self.lease is not None:
            await self.lease.leading.wait()
        self.metrics.set_leader(leading=True)
        self.sources.enqueue_all()
        _log.info("leading: %d canaries", self.caches.count("GatewayCanary"))


def build(
    options: Options, *, connection: Connection, transport: Transport, metrics: Metrics
) -> Engine:
    """Put an engine together."""
    rng = Random()
    reading = Client(transport)
    identity = _identity()
    lease = _lease(options, client=reading, connection=connection, rng=rng, identity=identity)
    client = reading if lease is None else reading.fenced(lease.fence)
    queue: Queue[Key] = Queue(
        backoff=Backoff(first=0.1, limit=10.0, rng=rng),
        on_latency=lambda priority, seconds: metrics.observe_queue_latency(
            priority.name.lower(), seconds
        ),
    )
    metrics.follow_queue(
        [priority.name.lower() for priority in Priority],
        lambda name: queue.depth(Priority[name.upper()]),
    )
    caches = Caches(client=reading, namespaces=options.namespaces, rng=rng)
    excluded = frozenset(options.excluded_namespaces)
    reactions: Reactions[Key] = Reactions(metrics.observe_reaction)
    sources = Sources(caches=caches, queue=queue, excluded=excluded, arrived=reactions.arrived)
    writer = Writer(client=client, caches=caches)
    suites = Suites(
        client=client,
        writer=writer,
        caches=caches,
        clock=utc_now,
        cluster_domain=options.cluster_domain,
        allow_roles=options.allow_test_roles,
    )
    observer = Observer(caches=caches, suites=suites, memory=Memory())
    reconciler = Reconciler(
        queue=queue,
        observer=observer,
        recorder=Recorder(
            client=client, caches=caches, metrics=metrics, clock=utc_now, instance=identity
        ),
        actor=Actor(client=client, writer=writer, caches=caches, suites=suites),
        metrics=metrics,
        reactions=reactions,
    )
    return Engine(
        options=options,
        queue=queue,
        caches=caches,
        sources=sources,
        reconciler=reconciler,
        lease=lease,
        metrics=metrics,
    )


def _lease(
    options: Options, *, client: Client, connection: Connection, rng: Random, identity: str
) -> Lease | None:
    if not options.leader_elect:
        return None
    return Lease(
        client=client,
        namespace=options.lease_namespace or connection.namespace,
        name=options.lease_name,
        identity=identity,
        rng=rng,
    )


def _identity() -> str:
    return f"{socket.gethostname()}_{uuid4().hex[:12]}"


@contextmanager
def _endpoints(engine: Engine, metrics: Metrics) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    app = probes.application(
        live=lambda: probes.loop_turns(loop, observe=metrics.observe_loop_lag),
        ready=lambda: engine.caches.ready,
        metrics=make_wsgi_app(metrics.registry),
    )
    with ExitStack() as served:
        for port in sorted({engine.options.metrics_port, engine.options.probe_port}):
            served.callback(probes.Endpoint(app, port=port).close)
        yield


async def serve(options: Options) -> None:
    """Run the operator until it is told to stop.

    Raises:
        TaskEndedError: one of its tasks died; the process must be started anew.
    """
    metrics = Metrics()
    connection = await connect(kubeconfig=options.kubeconfig, context=options.context)
    limiter = Limiter(qps=options.qps, burst=options.burst)
    transport = Transport(connection, limiter=limiter, observer=metrics.observe_request)
    engine = build(options, connection=connection, transport=transport, metrics=metrics)
    supervisor = Supervisor()
    try:
        with _endpoints(engine, metrics):
            engine.start(supervisor)
            await _until_stopped(engine, supervisor, connection)
    finally:
        engine.queue.close()
        await supervisor.stop()
        await transport.close()


async def _until_stopped(engine: Engine, supervisor: Supervisor, connection: Connection) -> None:
    stop, signalled = asyncio.Event(), asyncio.Event()

    def run(ready: asyncio.Event) -> Coroutine[Any, Any, None]:
        return _kopf(engine, connection, stop=stop, ready=ready)

    keeping = shells.keep(run, stop=stop, on_signals=lambda: _heed_signals(signalled))
    shell = asyncio.create_task(keeping, name="shell")
    told = asyncio.create_task(signalled.wait(), name="signals")
    watched = asyncio.create_task(supervisor.watch(), name="supervisor")
    try:
        await asyncio.wait({shell, told, watched}, return_when=asyncio.FIRST_COMPLETED)
        if watched.done():
            watched.result()
        if shell.done() and (died := shell.exception()) is not None:
            raise TaskEndedError("task kopf ended") from died
    finally:
        # NB: the lease goes first, so that a successor need not wait for kopf's own farewell.
        engine.queue.close()
        watched.cancel()
        await supervisor.stop()
        stop.set()
        told.cancel()
        await asyncio.wait({shell}, timeout=SHELL_PATIENCE)
        shell.cancel()
        await asyncio.gather(shell, told, watched, return_exceptions=True)


async def _kopf(
    engine: Engine, connection: Connection, *, stop: asyncio.Event, ready: asyncio.Event
) -> None:
    namespaces = engine.options.namespaces
    await kopf.operator(
        registry=watching.registry(enqueue=engine.sources.enqueue, connection=connection),
        settings=settings.settings(),
        memo=kopf.Memo(),
        clusterwide=not namespaces,
        namespaces=namespaces,
        standalone=True,
        stop_flag=stop,
        ready_flag=ready,
    )


def _heed_signals(told: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)


def run(options: Options) -> int:
    """Run the operator; give the exit code."""
    logs.configure(level=options.log_level, form=options.log_format)
    try:
        asyncio.run(serve(options))
    except (TaskEndedError, KubeError, OSError) as error:
        _log.error("stopping: %s%s", error, f": {error.__cause__}" if error.__cause__ else "")
        return 1
    return 0
