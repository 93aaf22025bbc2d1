"""One scenario's world: namespace, operator, release, history, stream, and the judgement.

A scenario says what people do and waits for what is stored; `judge` then holds the whole history
against the invariants and the stream against "no request is ever lost". What a scenario does by
hand goes through `by_hand`, so that no invariant takes it for the operator's doing.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devcluster import Cluster
from e2e import hooks
from e2e.providers import NGINX, Provider
from e2e.sights import Sight
from gatewaycanary.kube.resources import (
    DEPLOYMENT,
    GATEWAY_CANARY,
    Object,
    Resource,
)
from proving import clusters, invariants, leftovers
from proving.api import Api
from proving.helm import Helm
from proving.histories import History
from proving.operators import Operator
from proving.streams import Stream

CHARTS = Path(__file__).parent / "charts"
REPOSITORY = "localhost/podinfo"
RELEASE = "shop"
RATE = 20.0
BRIEF: tuple[int, ...] = (50, 100)
"""Two steps: enough wherever the steps are not the point."""


def image(tag: str) -> str:
    """Name the gateway's image of a version."""
    return f"{REPOSITORY}:{tag}"


def canary_spec(
    tag: str, *, steps: Sequence[int | dict[str, Any]] = BRIEF, **further: Any
) -> dict[str, Any]:
    """Write a spec that is quick where waiting is not the point."""
    return {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
        "image": image(tag),
        "traffic": {**NGINX.traffic, "settle": "500ms"},
        "steps": [each if isinstance(each, dict) else {"weight": each} for each in steps],
        "canary": {"scaleDownDelay": "2s"},
        "tests": [{"helm": {"release": RELEASE}}],
        "progressDeadline": "1m",
        **further,
    }


class Scene(Sight):
    """Stage one scenario."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        api: Api,
        credentials: Path,
        folder: Path,
        provider: Provider = NGINX,
    ) -> None:
        self.api = api
        self.cluster = cluster
        self.provider = provider
        self.namespace = f"e2e-{uuid.uuid4().hex[:8]}"
        self.host = f"{self.namespace}.gateway.test"
        self.losses_allowed = False
        self.leftovers_allowed = False
        self.helm: Helm = clusters.helm_of(cluster, self.namespace)
        clusters.create_namespace(api, self.namespace)
        super().__init__(
            history=History(api, self.namespace),
            operator=Operator(
                kubeconfig=credentials, namespace=self.namespace, log=folder / "operator.log"
            ),
        )
        url = clusters.gateway_url(cluster, provider.name)
        self.stream = Stream(url=url, host=self.host, rate=RATE, most_seconds=300)

    # What people do.

    def start(self, *objects: Object, **values: Any) -> None:
        """Start the operator, install the gateway with these hooks, and begin to send requests."""
        self.operator.start()
        self.start_traffic(*objects, **values)
        self.operator.await_ready()

    def start_traffic(self, *objects: Object, **values: Any) -> None:
        """Install the gateway and begin to send requests."""
        self.install(*objects, **values)
        self.stream.await_route()
        self.stream.start()

    def install(
        self,
        *objects: Object,
        chart: Path = CHARTS / "gateway",
        options: Sequence[str] = ("--wait", "--timeout", "90s"),
        route: Mapping[str, Any] = {},
        **values: Any,
    ) -> None:
        """Install or upgrade the release; without objects it has one ordinary test."""
        given = {
            "host": self.host,
            "objects": list(objects or (hooks.pod(),)),
            "route": {"kind": self.provider.kind, **route},
            **values,
        }
        self.helm.install(RELEASE, chart, given, *options)

    def apply(self, tag: str, *, name: str = "gateway", **spec: Any) -> Object:
        """Ask for an image, as a CI job would."""
        body = {
            "apiVersion": GATEWAY_CANARY.api_version,
            "kind": GATEWAY_CANARY.kind,
            "metadata": {"name": name},
            "spec": canary_spec(tag, **{"traffic": self.traffic(), **spec}),
        }
        applied = self.api.apply(GATEWAY_CANARY, body, self.namespace)
        self.sees(applied)
        return applied

    def traffic(self, **further: Any) -> dict[str, Any]:
        """Name the route, in the words of the spec; ``further`` goes beside the object's name."""
        return {
            **{field: {**named, **further} for field, named in self.provider.traffic.items()},
            "settle": "500ms",
        }

    def by_hand(self, resource: Resource, name: str, change: Object) -> Object:
        """Change an object as a person does."""
        changed = self.api.merge(resource, name, change, self.namespace)
        self.history.by_hand.add(int(changed["metadata"]["resourceVersion"]))
        self.sees(changed)
        return changed

    def annotate(self, key: str, value: str, *, name: str = "gateway") -> None:
        """Set an annotation of the GatewayCanary."""
        change = {"metadata": {"annotations": {f"canary.soma.dev/{key}": value}}}
        self.by_hand(GATEWAY_CANARY, name, change)

    def change_spec(self, change: dict[str, Any]) -> None:
        """Change fields of the GatewayCanary's spec."""
        self.by_hand(GATEWAY_CANARY, "gateway", {"spec": change})

    def set_stable(self, change: dict[str, Any]) -> Object:
        """Change fields of stable's spec by hand."""
        return self.by_hand(DEPLOYMENT, "gateway", {"spec": change})

    def set_stable_image(self, tag: str) -> Object:
        """Give stable another image by hand."""
        stable = self.api.get(DEPLOYMENT, "gateway", self.namespace)
        container = {**stable["spec"]["template"]["spec"]["containers"][0], "image": image(tag)}
        return self.set_stable({"template": {"spec": {"containers": [container]}}})

    def kubectl(self, *arguments: str) -> str:
        """Run the cluster's kubectl in the namespace, and give what it prints."""
        environment = self.cluster.environment(os.environ.get("PATH", ""))
        return subprocess.run(
            ["kubectl", "--namespace", self.namespace, *arguments],
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            text=True,
            timeout=90,
        ).stdout

    def delete(self, resource: Resource, name: str, **options: Any) -> None:
        """Delete an object by hand."""
        self.api.delete(resource, name, self.namespace, **options)
        gone = self.history.wait(
            f"{resource.kind} {name} is gone",
            lambda: [
                each
                for each in self.history.records(resource.kind)
                if each.name == name and each.deleted
            ],
        )
        self.history.by_hand.update(each.version for each in gone)

    # The end.

    def judge(self) -> None:
        """Hold the whole run against the invariants and the stream against its promise."""
        self.stream.stop()
        if not self.leftovers_allowed:
            self._expect_nothing_of_ours()
        for each in self.history.all_current("GatewayCanary"):
            self.api.delete(GATEWAY_CANARY, each["metadata"]["name"], self.namespace)
        self.when("every GatewayCanary goes", lambda: not self._canaries())
        self._expect_nothing_of_ours()
        found = invariants.breaches(self.history.records())
        if not self.losses_allowed:
            lost = self.stream.lost()
            found += [f"{len(lost)} requests lost, such as: {each.trouble}" for each in lost[:1]]
        found += self.complaints()
        assert not found, "\n".join([*found, self.log_tail()])

    def strike(self) -> None:
        """Stop and remove everything, whatever came before."""
        self.stream.stop()
        self.history.close()
        try:
            self.operator.stop()
        finally:
            clusters.remove_namespace(self.api, self.namespace)

    def _canaries(self) -> list[Object]:
        return self.history.all_current("GatewayCanary")

    def _expect_nothing_of_ours(self) -> None:
        self.when("nothing of ours is left", lambda: not self._owned(), timeout=30.0)

    def _owned(self) -> list[Object]:
        return [*leftovers.owned(self.history), *leftovers.traced(self.history)]
