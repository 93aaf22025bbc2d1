"""The snapshot that a decision is made of: small, frozen, already interpreted.

Raw objects are read by pure functions (``core.checks``, ``core.manifests``, ``traffic``,
``helmtests``) when the engine observes; the decision sees only what they mean. That keeps
``decide`` total and lets the model tests build every observation there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import FoundRoute, HelmTestResult, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A contradiction or a missing object that a person must mend.

    ``immediate`` is for a contradiction within the spec; one with another object gets a grace
    period, because Helm and GitOps tools apply in any order.
    """

    reason: str
    object: str
    field: str = ""
    message: str
    immediate: bool = False

    def sentence(self) -> str:
        """Say the problem with its object and field."""
        where = f"{self.object} {self.field}".strip()
        return f"{where}: {self.message}" if where else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """The GatewayCanary's own metadata."""

    uid: str
    namespace: str
    name: str
    generation: int
    resource_version: str = ""
    deleting: bool = False
    finalizer: bool = False
    approve: str = ""
    abort: str = ""
    retry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The stable Deployment as found. ``template_hash`` leaves image and restarts out."""

    image: str
    template_hash: str
    replicas: int
    generation: int
    rolled_out: bool
    """Every replica runs the current template, is available, and none of an older one is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryWorkload:
    """Our Deployment as found."""

    revision: str
    replicas: int
    deleting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Ready endpoints of both sides, and the canary pods' own news."""

    stable: int = 0
    canary: int = 0
    canary_newly_ready_at: datetime | None = None
    canary_fault: PodFault | None = None
    look_again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFault:
    """A pod failure that waiting does not mend (``core.pods``)."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """What the provider reads from the route.

    ``attached``: our destination is in the route (nginx: the canary Ingress exists).
    ``weight``: None where it is attached and carries no readable weight.
    ``withdrawn``: the revision named by the mark that a revert leaves.
    ``zero_at_start``: the route carried an explicit 0 before the first raise.
    ``version``: changes with every change of the route's content by anybody.
    ``settled``: whether the data plane has it; None where nothing tells.
    ``user_held``: a person's object, which without our destination is as they wrote it.
    ``found``: what is to be put back, were the first raise to come now.
    ``claimed``: an entry of ours is left in the object's managedFields.
    ``left``: something of ours is left that the restore takes away.
    """

    present: bool = True
    attached: bool = False
    weight: int | None = None
    text: str = ""
    withdrawn: str = ""
    zero_at_start: bool = False
    version: str = ""
    settled: bool | None = None
    user_held: bool = False
    found: FoundRoute | None = None
    claimed: bool = False
    left: bool = False

    @property
    def pristine(self) -> bool:
        """Tell whether a person's route is as they wrote it: nobody has raised or withdrawn it."""
        zero = self.attached and self.weight == 0 and self.zero_at_start
        return self.user_held and not self.withdrawn and (zero or not self.attached)

    @property
    def written_by_owner(self) -> FoundRoute | None:
        """Give what a person's route says where they wrote it last, to be put back at the end.

        NB: after our own restore it reads the same, and while our entry is still in its
        managedFields nobody is known to own it.
        """
        return self.found if self.pristine and not self.claimed else None


class RunPhase(Enum):
    """Where the current test run stands. IDLE: the hooks are loaded, no run is announced."""

    UNLOADED = "unloaded"
    IDLE = "idle"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """The run (revision, announced weight, suite, run) that the state names.

    ``work``: the run has an effect to perform now (create the next object, delete by policy).
    ``releases``: names of the release Secrets that were loaded, to be pinned in the state.
    ``log_tail``: the failed test's log once read; "" before that.
    ``objects_left``: test objects of this canary that are still to be deleted at the end.
    """

    phase: RunPhase = RunPhase.IDLE
    releases: tuple[str, ...] = ()
    work: bool = False
    results: tuple[HelmTestResult, ...] = ()
    failed_test: str = ""
    reason: str = ""
    message: str = ""
    log_tail: str = ""
    look_again_at: datetime | None = None
    objects_left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """The HorizontalPodAutoscaler on the target. ``held``: by our selectPolicy: Disabled."""

    name: str
    held: bool
    select_policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that a decision may depend on.

    ``spec`` is None where it does not parse; the reasons are then in ``problems``.
    ``revision_hash``: hash of the template that a canary started now would have.
    ``route_unwritable_since``: since when writes of the route have failed, else None.
    """

    now: datetime
    meta: Meta
    spec: GatewayCanarySpec | None
    status: Status
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    target: Target | None = None
    revision_hash: str = ""
    canary: CanaryWorkload | None = None
    canary_service: bool = False
    endpoints: Endpoints = Endpoints()
    route: RouteView = RouteView()
    tests: RunView = RunView()
    autoscaler: Autoscaler | None = None
    route_unwritable_since: datetime | None = None
