"""What a demo plays on: cluster, rights, operator, release and a stream of requests.

Everything that is started is stopped when the stage is struck, in reverse order, whatever ended
the demo. The namespace goes too, unless the demo failed: then it is left to be looked at, and
the next demo begins by removing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from demo.providers import Provider
from devcluster import Cluster
from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import GATEWAY_CANARY
from proving import clusters
from proving.api import NAMESPACE, Api
from proving.histories import History
from proving.operators import ROOT, Operator, write_credentials
from proving.streams import Stream

OUTPUT = ROOT / "build" / "demo"
RATE = 300.0
LANES = 6
WEIGHTS = (5, 10, 25, 50, 75, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What a demo is about: a release in a namespace, its host, a good version and a bad one.

    ``stable``, ``good`` and ``bad`` are tags of ``repository``. ``path`` is what answers with its
    version.
    """

    space: str
    canary: str
    host: str
    path: str
    repository: str
    stable: str
    good: str
    bad: str

    def image(self, tag: str) -> str:
        """Name the image of a version."""
        return f"{self.repository}:{tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The set demo, ready for versions.

    ``apply`` asks for a version by its tag; ``settle`` waits for what was asked and gives what
    went wrong with the asking, nothing where all is well.
    """

    plot: Plot
    history: History
    stream: Stream
    provider: Provider
    apply: Callable[[str], None]
    settle: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every demo stands on: a namespace with an operator, its history, the way in."""

    plot: Plot
    provider: Provider
    api: Api
    cluster: Cluster
    history: History
    url: str

    def stream(self) -> Stream:
        """Begin to send requests, once they are answered."""
        seconds = 900
        stream = Stream(
            url=self.url,
            host=self.plot.host,
            path=self.plot.path,
            rate=RATE,
            lanes=LANES,
            most_requests=int(RATE * seconds),
            most_seconds=seconds,
        )
        stream.await_route()
        stream.start()
        return stream


@contextmanager
def prepared(plot: Plot, provider: Provider) -> Iterator[Ground]:
    """Prepare the ground, and clear it at the end."""
    cluster = clusters.bring_up(provider.addons)
    url = clusters.gateway_url(cluster, provider.name)
    api = Api.from_kubeconfig(cluster.kubeconfig)
    clusters.install_operator(cluster, api)
    remove_space(api, plot.space)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        clusters.create_namespace(api, plot.space)
        history = History(api, plot.space)
        stack.callback(history.close)
        _start_operator(api, stack, plot.space)
        yield Ground(
            plot=plot, provider=provider, api=api, cluster=cluster, history=history, url=url
        )
        # NB: reached only where nothing was raised; the operator still runs and lets go.
        api.delete(GATEWAY_CANARY, plot.canary, plot.space)
        history.wait("the GatewayCanary goes", lambda: not history.all_current("GatewayCanary"))
        api.delete(NAMESPACE, plot.space)


def remove_space(api: Api, space: str) -> None:
    """Remove what a demo that failed or was killed has left."""
    if api.find(NAMESPACE, space) is None:
        return
    clusters.remove_namespace(api, space)
    wait_until(lambda: api.find(NAMESPACE, space) is None, 90.0)


def _start_operator(api: Api, stack: ExitStack, space: str) -> None:
    kubeconfig, log, pid = (
        OUTPUT / name for name in ("kubeconfig", "operator.log", "operator.pid")
    )
    stack.callback(kubeconfig.unlink, missing_ok=True)
    write_credentials(api, kubeconfig)
    log.unlink(missing_ok=True)
    operator = Operator(kubeconfig=kubeconfig, namespace=space, log=log)
    operator.start()
    pid.write_text(f"{operator.pid}\n")
    stack.callback(pid.unlink)
    stack.callback(operator.stop)
    operator.await_ready()
