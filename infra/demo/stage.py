"""What the demo plays on: cluster, rights, operator, release and a stream of requests.

Everything that is started is stopped when the stage is struck, in reverse order, whatever ended
the demo. The namespace goes too, unless the demo failed: then it is left to be looked at, and
the next demo begins by removing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.course import PROPAGATION
from demo.providers import Provider
from devcluster import Cluster
from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import GATEWAY_CANARY
from proving import clusters
from proving.api import NAMESPACE, Api
from proving.histories import History
from proving.operators import ROOT, Operator, write_credentials
from proving.streams import Stream

SPACE = "gatewaycanary-demo"
HOST = "gateway.demo.test"
CHART = Path(__file__).parent / "chart"
OUTPUT = ROOT / "build" / "demo"
RATE = 300.0
LANES = 6
WEIGHTS = (5, 10, 25, 50, 75, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The set demo, ready for images."""

    api: Api
    cluster: Cluster
    history: History
    stream: Stream
    provider: Provider

    def apply(self, image: str) -> None:
        """Ask for an image, as a CI job would."""
        spec: dict[str, Any] = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
            "image": image,
            "traffic": {**self.provider.traffic, "settle": f"{PROPAGATION}s"},
            "steps": [{"weight": weight} for weight in WEIGHTS],
            "canary": {"scaleDownDelay": "3s"},
            "tests": [{"helm": {"release": "gateway"}}],
            "progressDeadline": "1m",
        }
        body = {
            "apiVersion": GATEWAY_CANARY.api_version,
            "kind": GATEWAY_CANARY.kind,
            "metadata": {"name": "gateway"},
            "spec": spec,
        }
        self.api.apply(GATEWAY_CANARY, body, SPACE)


@contextmanager
def set_up(provider: Provider) -> Iterator[Stage]:
    """Set the stage, and strike it at the end."""
    cluster = clusters.bring_up(provider.addons)
    url = clusters.gateway_url(cluster, provider.name)
    api = Api.from_kubeconfig(cluster.kubeconfig)
    clusters.install_operator(cluster, api)
    remove_space(api)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        clusters.create_namespace(api, SPACE)
        history = History(api, SPACE)
        stack.callback(history.close)
        _start_operator(api, stack)
        helm = clusters.helm_of(cluster, SPACE)
        values = {"host": HOST, "provider": provider.name}
        helm.install("gateway", CHART, values, "--wait", "--timeout", "1m")
        stream = _stream(url)
        stream.await_route()
        stream.start()
        stack.callback(stream.stop)
        stage = Stage(api=api, cluster=cluster, history=history, stream=stream, provider=provider)
        yield stage
        # NB: reached only where nothing was raised; the operator still runs and lets go.
        api.delete(GATEWAY_CANARY, "gateway", SPACE)
        history.wait("the GatewayCanary goes", lambda: not history.all_current("GatewayCanary"))
        api.delete(NAMESPACE, SPACE)


def _stream(url: str) -> Stream:
    seconds = 300
    most = int(RATE * seconds)
    return Stream(
        url=url, host=HOST, rate=RATE, lanes=LANES, most_requests=most, most_seconds=seconds
    )


def remove_space(api: Api) -> None:
    """Remove what a demo that failed or was killed has left."""
    if api.find(NAMESPACE, SPACE) is None:
        return
    clusters.remove_namespace(api, SPACE)
    wait_until(lambda: api.find(NAMESPACE, SPACE) is None, 90.0)


def _start_operator(api: Api, stack: ExitStack) -> None:
    kubeconfig, log, pid = (
        OUTPUT / name for name in ("kubeconfig", "operator.log", "operator.pid")
    )
    stack.callback(kubeconfig.unlink, missing_ok=True)
    write_credentials(api, kubeconfig)
    log.unlink(missing_ok=True)
    operator = Operator(kubeconfig=kubeconfig, namespace=SPACE, log=log)
    operator.start()
    pid.write_text(f"{operator.pid}\n")
    stack.callback(pid.unlink)
    stack.callback(operator.stop)
    operator.await_ready()
