"""Real routers give the shares that the weights ask for, and lose nothing while they change.

The provider's own writes are sent, without an operator around them. At each weight hundreds of
requests go through the data plane; their share is judged by an exact binomial test. The allowance
for false alarms is one in a million for all of a run's shares together, divided among them; the
split of a round robin is more regular than chance, which only makes an alarm rarer.

When a router has a weight is not guessed: a route of another host is written after it, and routers
take what they have seen as a whole, in the order of storage. So once the later route serves, the
earlier one holds. Endpoints come by another watch, in no order with the routes: a route that leads
to the canary alone tells, before the first raise, that the data plane has them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from conformance.benches import Bench
from conformance.documents import WriteError
from demo.shares import FALSE_ALARM, Share
from devcluster import Cluster
from e2e.live.layouts import LAYOUTS, Layout, Place
from e2e.live.stored import CONFLICTS, PERSON, StoredDocuments, StoredStage
from e2e.scenes import image
from gatewaycanary.core.writes import Create
from gatewaycanary.kube.resources import DEPLOYMENT
from proving import clusters
from proving.api import Api
from proving.histories import History
from proving.streams import Stream

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

WEIGHTS = (1, 5, 50, 99, 100)
"""Raised to one after the other; 0 is measured before the first raise and after the withdrawal."""

REQUESTS = 500
LANES = 4
RATE = 40.0
TAGS = {"web": "1.0.0", "web-canary": "2.0.0"}
JUDGED = sum(len(layout.places) * (len(WEIGHTS) + 3) for layout in LAYOUTS)
MARK = "abc-1"


@dataclass(kw_only=True)
class Router(StoredStage):
    """One layout on its data plane, with pods behind it."""

    layout: Layout
    url: str
    host: str
    measured: list[Share] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Store the route and what it leads to."""
        self.stored = StoredDocuments(self.api, self.namespace, self.layout.manifests(self.host))
        self.stored.afterwards = self.disown
        self.documents = self.stored
        self._beacons = 0

    def await_routes(self, *, canary: bool = False) -> None:
        """Wait until the data plane has all the routes before, and serves one side."""
        self._beacons += 1
        name = f"beacon-{self._beacons}"
        host = f"{name}.{self.host}"
        manifest = self.layout.beacon(name, host, canary=canary)
        self.stored.send(Create(manifest=manifest), manager=PERSON)
        self._stream(host).await_route()

    def shift_to(self, weight: int) -> None:
        """Raise to a weight; a gateway may write the route's status meanwhile: look again."""
        while self.view.weight != weight:
            try:
                self.raise_to(weight)
            except WriteError as refused:
                if refused.code not in CONFLICTS:
                    raise

    def measure(self, weight: int) -> None:
        """Send requests to each place, and hold the share against the weight."""
        for place in self.layout.places:
            stream = self._stream(self.host, place)
            stream.start()
            stream.complete()
            assert not stream.lost()
            counted: Counter[str] = stream.versions()
            assert counted.total() >= REQUESTS
            wanted = weight if place.shifted else 0
            share = Share(
                weight=wanted, requests=counted.total(), canary=counted[TAGS["web-canary"]]
            )
            assert share.p_value >= FALSE_ALARM / JUDGED, (self.layout.name, place, share)
            self.measured.append(share)

    def steady(self) -> Stream:
        """Give a stream that goes on for the whole test."""
        return Stream(url=self.url, host=self.host, rate=RATE, most_seconds=180)

    def _stream(self, host: str, place: Place | None = None) -> Stream:
        place = place or Place(headers={})
        return Stream(
            url=self.url,
            host=host,
            path=place.path,
            headers=place.headers,
            rate=1e6,
            lanes=LANES,
            most_requests=REQUESTS,
            most_seconds=60,
        )


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """Give a namespace of the test's own."""
    name = f"live-{uuid.uuid4().hex[:8]}"
    clusters.create_namespace(api, name)
    yield name
    clusters.remove_namespace(api, name)


@pytest.fixture
def router(cluster: Cluster, api: Api, namespace: str, layout: Layout) -> Router:
    """Give the layout on its data plane, with ready pods on both sides."""
    if layout.router not in cluster.gateway_urls and cluster.kind != "source":
        pytest.skip(f"a cluster of kind {cluster.kind} has no {layout.router}")
    made = Router(
        # NB: of a bench only the provider and the context are asked for here.
        bench=cast("Bench", layout),
        layout=layout,
        api=api,
        namespace=namespace,
        url=clusters.gateway_url(cluster, layout.router),
        host=f"{namespace}.gateway.test",
    )
    history = History(api, namespace, [DEPLOYMENT])
    for name in TAGS:
        api.create(DEPLOYMENT, deployment(name), namespace)
    history.wait("the pods are ready", lambda: ready(history) == set(TAGS))
    history.close()
    return made


def deployment(name: str) -> dict[str, object]:
    """Write a Deployment of one pod, stable's or the canary's."""
    labels = {"app": "web", "track": "canary" if name.endswith("-canary") else "stable"}
    container = {
        "name": "gateway",
        "image": image(TAGS[name]),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 9898}],
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": 9898},
            "periodSeconds": 1,
            # NB: a machine that is busy with other tests must not make the pods come and go.
            "timeoutSeconds": 10,
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
            },
        },
    }


def ready(history: History) -> set[str]:
    """Name the Deployments whose pod is ready."""
    return {
        each["metadata"]["name"]
        for each in history.all_current("Deployment")
        if each.get("status", {}).get("readyReplicas")
    }


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.router}-{layout.name}")
def test_shares_at_every_weight(
    router: Router, record_property: Callable[[str, object], None]
) -> None:
    """Each weight gives its share and no other place moves; no request of a whole ramp is lost."""
    found = router.documents.snapshot()
    router.await_routes(canary=True)
    router.await_routes()
    router.measure(0)
    steady = router.steady()
    steady.start()
    for weight in WEIGHTS:
        router.shift_to(weight)
        router.await_routes()
        router.measure(weight)
    for weight in (*reversed(WEIGHTS[:-1]), *WEIGHTS):
        router.shift_to(weight)
    assert router.withdraw(MARK)
    router.await_routes()
    router.measure(0)
    router.restore()
    assert not router.view.left
    router.await_routes()
    router.measure(0)
    steady.stop()
    for share in router.measured:
        record_property(f"{share.weight} %", f"{share.canary} of {share.requests}")
    record_property("steady", f"{len(steady.lost())} lost of {len(steady.answers())}")
    assert not steady.lost()
    assert steady.answers()
    left = router.documents.snapshot().items()
    assert {key: each for key, each in left if not key[2].startswith("beacon-")} == found
