"""The programs of a running cluster: how each is started and known to be ready.

The list is in starting order. A component that runs with other arguments or
another configuration than the wanted ones is restarted by `start`, which does
nothing to one that runs as it should: starting is how a broken cluster is
repaired and an old one brought up to date.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import addons, flags, probes, processes
from devcluster.errors import ClusterError
from devcluster.layout import Layout
from devcluster.processes import Process
from devcluster.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Component:
    """Start, stop and watch one program of the cluster."""

    name: str
    argv: tuple[str, ...]
    ready: probes.Probe
    layout: Layout
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    """Files whose change calls for a restart."""

    @property
    def log(self) -> Path:
        """Name its log."""
        return self.layout.log(self.name)

    @property
    def record(self) -> Path:
        """Name its process record."""
        return self.layout.records / self.name

    def process(self) -> Process | None:
        """Return its process, if it runs."""
        process = processes.recorded(self.record)
        return process if process is not None and process.alive() else None

    def launch(self) -> bool:
        """Start it unless it runs as wanted; tell whether anything was done."""
        # The program's path is a symlink of ours: what it points at tells builds apart.
        program = os.path.realpath(self.argv[0]).encode()
        contents = [path.read_bytes() if path.exists() else b"" for path in self.inputs]
        digest = processes.digest_of(self.argv, self.environment, program, *contents)
        running = self.process()
        if running is not None and running.digest == digest:
            return False
        if running is not None:
            running.stop()
        processes.spawn(self.argv, self.environment, self.record, self.log, digest)
        return True

    def await_ready(self, timeout: float = 60.0) -> None:
        """Wait until it is ready; raise with the end of its log when it is not."""

        def settled() -> bool:
            return self.ready() or self.process() is None

        if wait_until(settled, timeout) and self.process() is not None:
            return
        what = "does not become ready" if self.process() else "ended"
        raise ClusterError(f"{self.name} {what}; the end of {self.log}:\n{self.tail()}")

    def start(self, timeout: float = 60.0) -> None:
        """Start it unless it runs, and wait until it is ready."""
        self.launch()
        self.await_ready(timeout)

    def stop(self, grace: float = 10.0) -> None:
        """End it, and wait for its end."""
        process = self.process()
        if process is not None:
            process.stop(grace)
        self.record.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it at once, as a crash would, and wait for its end."""
        self.stop(grace=0.0)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return "  (no log)"
        return "\n".join(f"  {line[:400]}" for line in text.splitlines()[-lines:])


def all_components(layout: Layout) -> tuple[Component, ...]:
    """Describe every component, those of enabled addons last, in starting order."""
    invocations = dict(flags.programs(layout))
    for addon in addons.enabled(layout):
        invocations |= addon.programs(layout)
    # Everything that holds a certificate starts anew under a new authority.
    authority = layout.pki / "ca.crt"
    return tuple(
        Component(
            name=name,
            argv=invocation.argv,
            ready=invocation.ready,
            layout=layout,
            environment=invocation.environment,
            inputs=(*invocation.inputs, authority),
        )
        for name, invocation in invocations.items()
    )


def named(layout: Layout, name: str) -> Component:
    """Find a component by its name."""
    known = {component.name: component for component in all_components(layout)}
    if name not in known:
        raise ClusterError(f"no component {name!r}; known: {', '.join(known)}")
    return known[name]
