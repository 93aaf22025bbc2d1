"""The demo of the platform: soma-stack, whose gateway is rolled out by the script that deploys it.

The bad version answers wrongly, which the end-to-end message test finds; the script then takes
the upgrade back and says so by its exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import devcluster
from demo.course import PROPAGATION
from demo.providers import Provider
from demo.stage import OUTPUT, WEIGHTS, Ground, Plot, Stage, prepared
from devcluster import ClusterError
from devcluster.progress import Progress
from imagery import builds, recipes
from proving.operators import ROOT

PLOT = Plot(
    space="soma-demo",
    canary="soma-gateway",
    host="soma.gateway.test",
    path="/v1/version",
    repository="localhost/soma-stack",
    stable="0.1.0",
    good="0.2.0",
    bad="0.3.0",
)
PROVIDERS = ("nginx", "istio")
"""What the platform's chart knows."""

LIMIT = 600.0
"""Seconds that a deployment may take, with its rollout and its way back."""


@contextmanager
def set_up(provider: Provider) -> Iterator[Stage]:
    """Set the stage, and strike it at the end."""
    with prepared(PLOT, provider) as ground:
        progress = Progress([f"build {each.tag}" for each in recipes.STACK])
        for archive in builds.ensure(recipes.STACK, progress):
            devcluster.load(archive)
        deployments = _Deployments(ground)
        deployments.start(PLOT.stable)
        if told := deployments.settle(PLOT.stable):
            raise ClusterError(told)
        stream = ground.stream()
        try:
            yield Stage(
                plot=PLOT,
                history=ground.history,
                stream=stream,
                provider=provider,
                apply=deployments.start,
                settle=deployments.settle,
            )
        finally:
            stream.stop()
            deployments.end()


@dataclass(slots=True)
class _Deployments:
    """Run the script that deploys, one at a time."""

    ground: Ground
    _running: subprocess.Popen[bytes] | None = field(default=None)

    def start(self, tag: str) -> None:
        values = OUTPUT / "values.json"
        values.write_text(json.dumps(_values(self.ground.provider)))
        cluster = self.ground.cluster.environment(os.environ.get("PATH", ""))
        given = {
            "MODE": "dev_full",
            "NAMESPACE": PLOT.space,
            "IMAGE_TAG": PLOT.stable,
            "CANARY_ENABLED": "true",
            "CANARY_MODE": "operator",
            "CANARY_IMAGE_TAG": tag,
            "VALUES": str(values),
            "TIMEOUT": "8m",
        }
        with self._log(tag).open("wb") as log:
            self._running = subprocess.Popen(
                [str(ROOT / "scripts" / "deploy-stack.sh")],
                env={**os.environ, **cluster, **given},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def settle(self, tag: str) -> str:
        """Wait for the script's end; give what is wrong with it."""
        if self._running is None:
            return ""
        code = self._running.wait(LIMIT)
        wanted = 1 if tag == PLOT.bad else 0
        where = self._log(tag)
        return "" if code == wanted else f"the script ended with {code}, see {where}"

    def end(self) -> None:
        """End a script that still runs."""
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
            self._running.wait(30)

    def _log(self, tag: str) -> Path:
        return OUTPUT / f"deploy-{tag}.log"


def _values(provider: Provider) -> dict[str, object]:
    """Write the values of the gateway's route, and of its canary's spec."""
    routes: dict[str, dict[str, object]] = {
        "nginx": {"ingress": {"enabled": True, "host": PLOT.host}},
        "istio": {
            "istio": {"enabled": True, "host": PLOT.host, "gateways": ["istio-system/gateway"]}
        },
    }
    canary = {
        "steps": [{"weight": weight} for weight in WEIGHTS],
        "spec": {"canary": {"scaleDownDelay": "3s"}, "progressDeadline": "2m"},
        "settle": f"{PROPAGATION}s",
    }
    return {
        "global": {"ISTIO_ENABLED": provider.name == "istio"},
        "services": {"gateway": {**routes[provider.name], "canary": canary}},
    }
