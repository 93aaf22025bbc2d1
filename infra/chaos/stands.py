"""One run's own world: namespace, operators, release, history and stream."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from chaos.effects import Recogniser
from chaos.grounds import Ground
from chaos.keepers import Keeper
from chaos.patience import insist
from chaos.plans import STEPS, Fault, Image, Plan
from chaos.traps import Trap
from demo.providers import PROVIDERS
from devcluster.settings import API_URL
from faults.proxy import Proxy
from gatewaycanary.core.naming import RUN_LABEL
from gatewaycanary.kube.resources import GATEWAY_CANARY, Object
from proving import clusters, holdings, leftovers, timelines
from proving.histories import History
from proving.operators import ROOT, Operator
from proving.streams import Stream

NAME = "gateway"
REPOSITORY = "localhost/podinfo"
RELEASE = "shop"
CHART = ROOT / "tests" / "e2e" / "charts" / "gateway"
RATE = 5.0
LONGEST = 420.0
"""Seconds for which a run's stream sends at most."""

_STARTS = 240.0
"""Seconds that twenty operators may take to start at once on two busy cores."""

_ENDS = frozenset({"Succeeded", "Failed", "Invalid"})
_KINDS = {"nginx": "Ingress", "istio": "VirtualService"}
_DELAYS = {"nginx": "3s", "istio": "30s"}
"""NB: once the API server is back, istiod reads routes later than Services, by 10 s and more."""

_LOOKS = (
    "curl -fsS --connect-timeout 2 --retry 90 --retry-delay 1 --retry-all-errors"
    " -o /tmp/greeting http://gateway/ && ! grep -q broken /tmp/greeting"
)


class Stand:
    """Set up one run, see how it goes, and clear it away."""

    def __init__(self, plan: Plan, ground: Ground) -> None:
        self.plan = plan
        self.began = 0.0
        self.sprung = threading.Event()
        self.traps: list[Trap] = []
        self.namespace = f"chaos-{plan.number}"
        self.api = ground.api
        self._ground = ground
        self._proxies: list[Proxy] = []
        self._host = f"{self.namespace}.gateway.test"
        insist(lambda: clusters.create_namespace(self.api, self.namespace))
        self.history = History(self.api, self.namespace)
        url = clusters.gateway_url(ground.cluster, plan.provider)
        self.stream = Stream(url=url, host=self._host, rate=RATE, most_seconds=LONGEST)
        recogniser = Recogniser()
        self.keepers = [self._keeper(number, recogniser) for number in range(1 + plan.pair)]

    @property
    def logs(self) -> list[Path]:
        """Name the operators' logs."""
        return [each.operator.log for each in self.keepers]

    def set_up(self) -> None:
        """Start the operators, install the release, and begin to send requests."""
        for keeper in self.keepers:
            keeper.start()
        values = {
            "host": self._host,
            "objects": [_test(self.plan)],
            "route": {"kind": _KINDS[self.plan.provider]},
        }
        helm = self._ground.helm(self.namespace)
        insist(partial(helm.install, RELEASE, CHART, values, "--wait", "--timeout", "110s"))
        for keeper in self.keepers:
            keeper.operator.await_ready(_STARTS)
        self.stream.await_route()
        self.stream.start()

    def apply(self, image: Image) -> None:
        """Ask for an image, as a CI job would."""
        spec = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
            "image": f"{REPOSITORY}:{image.value}",
            "traffic": {**PROVIDERS[self.plan.provider].traffic, "settle": "500ms"},
            "steps": [{"weight": weight} for weight in STEPS],
            "canary": {"scaleDownDelay": _DELAYS[self.plan.provider]},
            "tests": [{"helm": {"release": RELEASE}}],
            "progressDeadline": "5m",
        }
        body = {
            "apiVersion": GATEWAY_CANARY.api_version,
            "kind": GATEWAY_CANARY.kind,
            "metadata": {"name": NAME},
            "spec": spec,
        }
        insist(lambda: self.api.apply(GATEWAY_CANARY, body, self.namespace))
        if not self.began:
            self.began = time.monotonic()

    # What is seen.

    def canary(self) -> Object:
        """Give the GatewayCanary as last stored."""
        return self.history.current("GatewayCanary", NAME) or {"metadata": {}, "spec": {}}

    def status(self) -> dict[str, Any]:
        """Give its status."""
        return timelines.status(self.canary())

    def rests(self) -> bool:
        """Tell whether the last spec's rollout is over."""
        canary = self.canary()
        status = timelines.status(canary)
        current = status.get("observedGeneration", 0) >= canary["metadata"].get("generation", 1)
        return current and status.get("phase") in _ENDS

    def stable(self) -> str:
        """Give stable's tag."""
        found = self.history.current("Deployment", NAME)
        if found is None:
            return ""
        image = str(found["spec"]["template"]["spec"]["containers"][0]["image"])
        return image.rpartition(":")[2]

    def test_pods(self) -> list[Object]:
        """Give the test pods that are under way."""
        return [
            each
            for each in self.history.all_current("Pod")
            if RUN_LABEL in timelines.labels(each)
            and timelines.status(each).get("phase") in {"Pending", "Running"}
            and "deletionTimestamp" not in each["metadata"]
        ]

    def leftovers(self) -> list[str]:
        """Name what is still there of ours."""
        owned = [
            f"{each['kind']} {each['metadata']['name']}" for each in leftovers.owned(self.history)
        ]
        traces = [
            f"{each['kind']} {each['metadata']['name']}: {holdings.trace(each)}"
            for each in leftovers.traced(self.history)
        ]
        return owned + traces

    # The end.

    def strike(self) -> None:
        """Stop everything and begin to remove the namespace."""
        self.stream.stop()
        for keeper in self.keepers:
            keeper.stop()
        for proxy in self._proxies:
            proxy.close()
        self.history.close()
        insist(lambda: clusters.remove_namespace(self.api, self.namespace))
        self.api.close()

    def _keeper(self, number: int, recogniser: Recogniser) -> Keeper:
        log = self._ground.logs / f"run-{self.plan.number}-{number}.log"
        log.unlink(missing_ok=True)
        kubeconfig = self._ground.credentials
        if self.plan.effect is None:
            return Keeper(self._operator(kubeconfig, log))
        proxy = Proxy(server=API_URL, authority=self.api.authority)
        proxy.start()
        self._proxies.append(proxy)
        path = kubeconfig.with_name(f"{self.namespace}-{number}.kubeconfig")
        keeper = Keeper(self._operator(proxy.credentials(kubeconfig, path), log))
        trap = Trap(
            self.plan.effect,
            before=self.plan.before,
            recogniser=recogniser,
            kill=keeper.kill,
            sprung=self.sprung,
        )
        proxy.hooks = trap
        self.traps.append(trap)
        return keeper

    def _operator(self, kubeconfig: Path, log: Path) -> Operator:
        operator = Operator(kubeconfig=kubeconfig, namespace=self.namespace, log=log)
        operator.elects = self.plan.pair and self.plan.fault is not Fault.TWINS
        return operator


def _test(plan: Plan) -> Object:
    """Write the release's test: it looks at the canary from a weight on."""
    lasts = 2 if plan.fault is Fault.EVICTED else 0
    passes = f'if [ "$GATEWAYCANARY_WEIGHT" -lt {plan.breaks_at} ]; then exit 0; fi'
    container = {
        "name": "test",
        "image": "localhost/toolbox:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"sleep {lasts}; {passes}; {_LOOKS}"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greets-well", "annotations": {"helm.sh/hook": "test"}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }
