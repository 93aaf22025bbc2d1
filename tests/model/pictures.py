"""What the fake cluster is made of: a few small frozen objects, one field of a picture each.

Each field stands for one kind that the operator watches on its own, so that each may lag behind on
its own in an operator's view.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.core.observation import PodFault, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """The GatewayCanary as stored; ``spec`` is None where it does not parse."""

    spec: GatewayCanarySpec | None
    status: dict[str, Any] = field(default_factory=dict)
    generation: int = 1
    version: int = 1
    deleting: bool = False
    finalizer: bool = False
    approve: str = ""
    abort: str = ""
    retry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stable:
    """The target Deployment: its wish, and its pods on the wished and on older templates.

    ``stuck``: no pod becomes ready any more.
    """

    image: str
    template: str = "template-a"
    replicas: int = 3
    generation: int = 1
    observed: int = 1
    ready: int = 3
    unready: int = 0
    old_ready: int = 0
    old_unready: int = 0
    stuck: bool = False

    @property
    def endpoints(self) -> int:
        """Count the pods that take traffic."""
        return self.ready + self.old_ready

    @property
    def rolled_out(self) -> bool:
        """Tell whether all pods are of the wished template, and available."""
        fresh = self.observed == self.generation
        left = self.unready + self.old_ready + self.old_unready
        return fresh and self.ready == self.replicas and left == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The canary Deployment with its pods; ``stuck`` as stable's."""

    revision: str
    replicas: int
    deleting: bool = False
    ready: int = 0
    unready: int = 0
    stuck: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPods:
    """What EndpointSlices and pods tell of the canary."""

    ready: int = 0
    newly_ready_at: datetime | None = None
    fault: PodFault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The route: for nginx, our Ingress beside the stable one. ``born`` tells one from its heir.

    ``held``: a person's object, as with Istio, which the weights are written into.
    """

    attached: bool = False
    weight: int | None = None
    text: str = ""
    mark: str = ""
    version: int = 0
    born: int = 0
    held: bool = False

    @property
    def carries(self) -> bool:
        """Tell whether anything may flow to the canary."""
        return self.attached and self.weight != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """The HorizontalPodAutoscaler on the target."""

    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RunKey:
    """Which test run an object belongs to."""

    revision: str
    weight: int
    suite: int
    run: int


Runs = tuple[tuple[RunKey, tuple[str, ...]], ...]
"""The hooks' states of every run that has objects: Running, Passed, Failed or Evicted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole cluster at one moment, or an operator's view of it.

    ``suite_length``: how many hooks each suite of the release has.
    """

    resource: Resource | None
    stable: Stable | None
    stable_ready: int
    canary: Canary | None = None
    canary_pods: CanaryPods = CanaryPods()
    service: bool = False
    ingress: bool = True
    route: Route = Route()
    scaler: Scaler | None = None
    runs: Runs = ()
    problems: tuple[Problem, ...] = ()
    suite_length: int = 2

    def hooks(self, key: RunKey) -> tuple[str, ...]:
        """Give the states of a run's hooks, in their order."""
        return dict(self.runs).get(key, ())

    def with_hooks(self, key: RunKey, hooks: tuple[str, ...]) -> Runs:
        """Give the runs with this one's hooks changed; no hooks, no run."""
        runs = dict(self.runs) | {key: hooks}
        return tuple(sorted((one, states) for one, states in runs.items() if states))
