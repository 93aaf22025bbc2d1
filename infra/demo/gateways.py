"""The demo of one gateway: podinfo by a chart of its own, asked for as a CI job would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo.course import PROPAGATION
from demo.providers import Provider
from demo.stage import WEIGHTS, Ground, Plot, Stage, prepared
from gatewaycanary.kube.resources import GATEWAY_CANARY
from proving import clusters

CHART = Path(__file__).parent / "chart"
PLOT = Plot(
    space="gatewaycanary-demo",
    canary="gateway",
    host="gateway.demo.test",
    path="/version",
    repository="localhost/podinfo",
    stable="1.0.0",
    good="2.0.0",
    bad="3.0.0",
)


@contextmanager
def set_up(provider: Provider) -> Iterator[Stage]:
    """Set the stage, and strike it at the end."""
    with prepared(PLOT, provider) as ground:
        helm = clusters.helm_of(ground.cluster, PLOT.space)
        values = {"host": PLOT.host, "provider": provider.name}
        helm.install("gateway", CHART, values, "--wait", "--timeout", "1m")
        stream = ground.stream()
        try:
            yield Stage(
                plot=PLOT,
                history=ground.history,
                stream=stream,
                provider=provider,
                apply=lambda tag: _apply(ground, tag),
                settle=lambda _tag: "",
            )
        finally:
            stream.stop()


def _apply(ground: Ground, tag: str) -> None:
    spec: dict[str, Any] = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
        "image": PLOT.image(tag),
        "traffic": {**ground.provider.traffic, "settle": f"{PROPAGATION}s"},
        "steps": [{"weight": weight} for weight in WEIGHTS],
        "canary": {"scaleDownDelay": "3s"},
        "tests": [{"helm": {"release": "gateway"}}],
        "progressDeadline": "1m",
    }
    body = {
        "apiVersion": GATEWAY_CANARY.api_version,
        "kind": GATEWAY_CANARY.kind,
        "metadata": {"name": PLOT.canary},
        "spec": spec,
    }
    ground.api.apply(GATEWAY_CANARY, body, PLOT.space)
