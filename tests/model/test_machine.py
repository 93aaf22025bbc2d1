"""Whatever happens, in whatever order: the invariants hold after every single effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gatewaycanary.core.observation import PodFault, Problem
from model import endings
from model.observing import EVICTED, FAILED, PASSED, RUNNING
from model.pictures import Scaler, Stable
from model.replicas import Replica
from model.specs import SIX, V1, V2, V3, spec
from model.worlds import World, failing_at

IMAGES = (V1, V2, V3)
LADDERS = (SIX, (50, 100), (100,), (5, 20, 100))
SECONDS = (0.5, 5.0, 29.0, 31.0, 61.0, 299.0, 601.0)
FIELDS = ("resource", "stable", "stable_ready", "canary", "canary_pods", "route", "runs", "scaler")
DISASTERS = ("deletion", "spec", "target", "problem", "scaling")
CRASHING = PodFault(reason="CrashLoopBackOff", message="3 restarts")


class Rollouts(RuleBasedStateMachine):
    """One GatewayCanary, one or two replicas of the operator, and everything that can go wrong."""

    @initialize(
        replicas=st.integers(1, 4),
        weights=st.sampled_from(LADDERS),
        suites=st.integers(0, 2),
        attempts=st.integers(1, 2),
        settle=st.sampled_from(("0s", "5s")),
        mode=st.sampled_from(("Automatic", "Automatic", "Handover")),
        sized=st.sampled_from(("Proportional", "Full", 1)),
        hold=st.booleans(),
        approval=st.booleans(),
        scaler=st.sampled_from((None, Scaler(), Scaler(policy="Max"))),
        failing=st.sampled_from((0, 0, *SIX)),
        calm=st.sets(st.sampled_from(DISASTERS), min_size=1),
        ahead=st.sampled_from((0, 10, 20, 30, 40, 50, 60, 80)),
        held=st.booleans(),
    )
    def begin(
        self,
        *,
        replicas: int,
        weights: tuple[int, ...],
        suites: int,
        attempts: int,
        settle: str,
        mode: str,
        sized: int | str,
        hold: bool,
        approval: bool,
        scaler: Scaler | None,
        failing: int,
        calm: set[str],
        ahead: int,
        held: bool,
    ) -> None:
        """Set the scene: stable runs version 1, version 2 is asked for; some way ahead or none."""
        self.calm = calm
        self.options: dict[str, Any] = {
            "weights": weights,
            "suites": suites,
            "attempts": attempts,
            "settle": settle,
            "mode": mode,
            "replicas": sized,
            "hold": {weights[0]: "1m"} if hold else {},
            "approval": weights[-1:] if approval else (),
        }
        self.image = V2
        self.tokens = 0
        self.late: Replica | None = None
        self.world = World(
            spec(self.image, **self.options), replicas=replicas, scaler=scaler, held=held
        )
        self.world.verdict = failing_at(failing)
        self.cluster = self.world.cluster
        self.run_some(ahead)

    def run_some(self, rounds: int) -> None:
        """Let everything take its course for a while."""
        left = iter(range(rounds))
        self.world.settle(until=lambda: next(left, None) is None)

    def edit(self, **options: Any) -> None:
        """Edit the spec."""
        self.options |= options
        self.cluster.edit_resource(spec=spec(self.image, **self.options), spec_changed=True)

    # The operator goes on.

    @rule(rounds=st.integers(1, 60))
    def run_along(self, rounds: int) -> None:
        """Let everything take its course for a while."""
        if self.world.route_writable:
            self.run_some(rounds)

    @rule(rounds=st.integers(1, 15))
    def run_a_little(self, rounds: int) -> None:
        """Let everything take its course for a moment."""
        if self.world.route_writable:
            self.run_some(rounds)

    @rule()
    def look_afresh(self) -> None:
        """Look again with all that is known."""
        self.world.operator.view.catch_up()
        self.world.operator.finish()

    @rule()
    def reconcile(self) -> None:
        """Look again, with caches as they are."""
        self.world.operator.finish()

    @rule(pauses=st.integers(1, 6))
    def pause(self, pauses: int) -> None:
        """Go on by some half effects: the cluster may now change in between."""
        for _ in range(pauses):
            if self.world.operator.pause() is None:
                return

    @rule()
    def crash(self) -> None:
        """End the operator where it stands; a new one comes up."""
        self.world.operator.restart()

    @rule()
    def take_over(self) -> None:
        """Depose the leader in the middle of an effect; a new one comes up beside it."""
        self.late = self.world.operator
        self.world.operator = self.world.replica()

    @precondition(lambda self: self.late is not None)
    @rule()
    def arrive_late(self) -> None:
        """Let the deposed leader's last request arrive; it is fenced after that."""
        if self.late is not None and self.late.under_way is not None:
            self.late.pause()
        self.late = None

    @rule(name=st.sampled_from(FIELDS))
    def event(self, name: str) -> None:
        """Let one watch bring one event."""
        self.world.operator.view.advance(name)

    @rule()
    def catch_up(self) -> None:
        """Let every watch catch up."""
        self.world.operator.view.catch_up()

    @rule(steps=st.integers(1, 4))
    def controllers(self, steps: int) -> None:
        """Let the Deployments' controllers go on."""
        for _ in range(steps):
            self.cluster.progress(self.world.clock())

    # Time.

    @rule(seconds=st.sampled_from(SECONDS))
    def time_passes(self, seconds: float) -> None:
        """Let time pass."""
        self.world.pass_time(seconds)

    @rule(seconds=st.sampled_from((1.0, 20.0, 90.0)))
    def clock_jumps_back(self, seconds: float) -> None:
        """Set the operator's clock back."""
        self.world.offset -= seconds

    # Tests.

    @rule(verdict=st.sampled_from((PASSED, FAILED, EVICTED)))
    def verdict(self, verdict: str) -> None:
        """Let the running tests come to a verdict."""
        for key, hooks in self.cluster.now.runs:
            for at, state in enumerate(hooks):
                if state == RUNNING:
                    self.world.conclude(key, at, verdict)

    @rule()
    def test_vanishes(self) -> None:
        """Delete the running test by hand."""
        for key, hooks in self.cluster.now.runs:
            if RUNNING in hooks:
                kept = tuple(state for state in hooks if state != RUNNING)
                self.cluster.change(runs=self.cluster.now.with_hooks(key, kept))

    # Pods.

    @rule(kept=st.integers(0, 2))
    def canary_loses_pods(self, kept: int) -> None:
        """Let canary pods lose their readiness."""
        canary = self.cluster.now.canary
        if canary is not None and canary.ready > kept:
            lost = canary.ready - kept
            self.cluster.set_canary(replace(canary, ready=kept, unready=canary.unready + lost))

    @rule(what=st.sampled_from(("deployment", "service", "smaller", "bigger")))
    def canary_tampered_with(self, what: str) -> None:
        """Delete or scale the canary's objects by hand."""
        canary = self.cluster.now.canary
        if what == "service":
            self.cluster.set_service(there=False)
        elif canary is not None and what == "deployment":
            self.cluster.set_canary(None)
        elif canary is not None and what in {"smaller", "bigger"}:
            other = canary.replicas + (1 if what == "bigger" else -1)
            self.cluster.set_canary(replace(canary, replicas=max(0, other)))

    @rule(stuck=st.booleans(), fault=st.sampled_from((None, None, CRASHING)))
    def canary_pods_fail(self, *, stuck: bool, fault: PodFault | None) -> None:
        """Let canary pods never become ready, or show why."""
        self.cluster.canary_stuck = stuck
        self.cluster.fault_canary(fault)

    @rule(kept=st.integers(0, 1))
    def stable_loses_pods(self, kept: int) -> None:
        """Let stable's pods lose their readiness."""
        stable = self.cluster.now.stable
        if stable is not None and stable.ready > kept:
            self.cluster.set_stable(
                replace(
                    stable,
                    ready=kept,
                    unready=stable.unready + stable.ready - kept,
                    old_unready=stable.old_unready + stable.old_ready,
                    old_ready=0,
                )
            )

    @rule(stuck=st.booleans())
    def stable_sticks(self, *, stuck: bool) -> None:
        """Let stable's new pods never become ready, or become ready again."""
        self.cluster.stable_stuck = stuck

    @precondition(lambda self: "scaling" not in self.calm)
    @rule(replicas=st.integers(0, 5))
    def stable_scaled(self, replicas: int) -> None:
        """Scale stable."""
        self.cluster.edit_stable(replicas=replicas)

    # People, and other controllers.

    @rule(image=st.sampled_from(IMAGES))
    def image_set(self, image: str) -> None:
        """Ask for an image: a new one, or the old one back."""
        self.image = image
        self.edit()

    @rule(weights=st.sampled_from(LADDERS))
    def steps_edited(self, weights: tuple[int, ...]) -> None:
        """Edit the steps."""
        self.edit(weights=weights, hold={}, approval=())

    @rule(suspend=st.booleans())
    def suspended(self, *, suspend: bool) -> None:
        """Suspend or resume."""
        self.edit(suspend=suspend)

    @rule(mode=st.sampled_from(("Automatic", "Handover")))
    def mode_edited(self, mode: str) -> None:
        """Change who promotes."""
        self.edit(mode=mode)

    @precondition(lambda self: "spec" not in self.calm)
    @rule()
    def spec_unreadable(self) -> None:
        """Let the stored spec be one that this version cannot read."""
        self.cluster.edit_resource(spec=None, spec_changed=True)

    @rule(kind=st.sampled_from(("abort", "retry")))
    def token_set(self, kind: str) -> None:
        """Abort or retry by annotation."""
        self.tokens += 1
        token = f"token-{self.tokens}"
        if kind == "abort":
            self.cluster.edit_resource(abort=token)
        else:
            self.cluster.edit_resource(retry=token)

    @rule(right=st.booleans())
    def approved(self, *, right: bool) -> None:
        """Approve the announced step, or another."""
        resource = self.cluster.now.resource
        if resource is not None:
            state = self.world.status().state
            weight = state.announced if right else 1
            self.cluster.edit_resource(approve=f"{state.revision}/{weight}")

    @precondition(lambda self: "deletion" not in self.calm)
    @rule()
    def deleted(self) -> None:
        """Delete the GatewayCanary."""
        resource = self.cluster.now.resource
        if resource is not None and not resource.finalizer:
            self.cluster.change(resource=None)
        else:
            self.cluster.edit_resource(deleting=True)

    @rule(weight=st.sampled_from((0, 1, 30, 100, None)))
    def route_edited(self, weight: int | None) -> None:
        """Write another weight, or a word, into the route."""
        route = self.cluster.now.route
        if route.attached and route.weight != weight:
            text = "a word" if weight is None else str(weight)
            self.cluster.change(
                route=replace(route, weight=weight, text=text, version=route.version + 1)
            )

    @rule()
    def route_detached(self) -> None:
        """Take our destination out of the route; a person's is so after each new apply."""
        route = self.cluster.now.route
        if route.attached:
            mark = route.mark if route.held else ""
            gone = replace(route, attached=False, weight=None, text="", mark=mark)
            self.cluster.change(route=replace(gone, version=route.version + 1))

    @rule(writable=st.booleans())
    def route_writes_fail(self, *, writable: bool) -> None:
        """Let writes of the route fail, or work again."""
        self.world.route_writable = writable

    @rule(image=st.sampled_from(IMAGES))
    def stable_image_set(self, image: str) -> None:
        """Let somebody else set stable's image."""
        self.cluster.edit_stable(image=image)

    @rule(template=st.sampled_from(("template-a", "template-b")))
    def stable_template_set(self, template: str) -> None:
        """Let somebody else change stable's template."""
        self.cluster.edit_stable(template=template)

    @rule(policy=st.sampled_from((None, "Max", "Disabled")))
    def autoscaler_upgraded(self, policy: str | None) -> None:
        """Let somebody's upgrade set the autoscaler's policy."""
        if self.cluster.now.scaler is not None:
            self.cluster.change(scaler=Scaler(policy=policy))

    @precondition(lambda self: "target" not in self.calm)
    @rule()
    def target_gone(self) -> None:
        """Delete the target."""
        self.cluster.set_stable(None)

    @precondition(lambda self: "target" not in self.calm)
    @rule(there=st.booleans())
    def ingress_comes_and_goes(self, *, there: bool) -> None:
        """Delete the route that the spec names, or make it again."""
        route = self.cluster.now.route
        if route.held and not there:
            gone = replace(route, attached=False, weight=None, text="", mark="")
            self.cluster.change(route=replace(gone, version=route.version + 1))
        self.cluster.change(ingress=there)

    @rule(image=st.sampled_from(IMAGES))
    def target_made(self, image: str) -> None:
        """Make the target again."""
        if self.cluster.now.stable is None:
            self.cluster.set_stable(Stable(image=image, replicas=2, ready=0))

    @precondition(lambda self: "problem" not in self.calm)
    @rule(immediate=st.booleans())
    def problem_appears(self, *, immediate: bool) -> None:
        """Let something contradict the spec."""
        problem = Problem(
            reason="PolicyGap", object="NetworkPolicy a", message="no", immediate=immediate
        )
        self.cluster.change(problems=(problem,))

    @rule()
    def problem_vanishes(self) -> None:
        """Let the contradiction go."""
        self.cluster.change(problems=())

    # The end.

    @rule()
    def comes_to_rest(self) -> None:
        """Leave everything as it is: the operator comes to rest, with a reason to wait or none."""
        if self.world.route_writable:
            self.world.settle(frozen=True)

    @rule()
    def faults_stop(self) -> None:
        """8, 9. Once faults stop, every canary reaches an end or a named wait, and rests there."""
        if not hasattr(self, "world"):
            return
        self.world.route_writable = True
        self.cluster.stable_stuck = self.cluster.canary_stuck = False
        self.cluster.fault_canary(None)
        self.world.settle()
        self.world.operator.nudge()
        self.world.settle()
        found = list(endings.faults(self.world))
        assert not found, f"{found} in {self.world.now()}"

    def teardown(self) -> None:
        """End every run with the faults gone."""
        self.faults_stop()


TestRollouts = Rollouts.TestCase
