"""What each action does to the cluster, as the engine and the API server do it together.

An action is built from the operator's view and meets the truth: guards are of the view, and a
guard that no longer holds is a conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, assert_never

from gatewaycanary.api.status import Status
from gatewaycanary.core import decision as actions
from gatewaycanary.core.decision import Action
from model.cluster import Cluster
from model.observing import PASSED, RUNNING, Memory, run_key, run_phase
from model.pictures import Canary, Picture, Resource, Route, RunKey, Scaler


class ConflictError(Exception):
    """Raised when the cluster is no longer what the write took for granted."""


class RefusedError(Exception):
    """Raised when the API server does not take the write."""


def store_status(cluster: Cluster, view: Picture, stored: dict[str, Any]) -> None:
    """Store the status, as JSON, by compare-and-set."""
    resource = cluster.now.resource
    if resource is None or view.resource is None or resource.version != view.resource.version:
        message = "the GatewayCanary was changed meanwhile"
        raise ConflictError(message)
    cluster.edit_resource(status=stored)


class Hands:
    """Perform actions for one operator."""

    def __init__(self, cluster: Cluster, *, route_writable: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._route_writable = route_writable

    def perform(
        self,
        action: Action,
        view: Picture,
        status: Status,
        memory: Memory,
        *,
        newest: Resource | None,
    ) -> None:
        """Perform one action, or raise; ``newest``: the resource after this look's status write."""
        match action:
            case actions.RaiseWeight() | actions.WithdrawWeight() | actions.RestoreRoute():
                self._write_route(action, view)
            case actions.DisownRoute():
                pass
            case actions.AddFinalizer() | actions.RemoveFinalizer():
                self._finalizer(newest, added=isinstance(action, actions.AddFinalizer))
            case actions.CreateCanary():
                self._create(action)
            case actions.CreateCanaryService():
                self._cluster.set_service(there=True)
            case actions.ScaleCanary(replicas=replicas):
                self._scale(replicas)
            case actions.DeleteCanary():
                self._delete(view)
            case actions.SetStableImage(image=image):
                self._set_stable(image, view)
            case actions.HoldAutoscaler() | actions.ReleaseAutoscaler():
                self._autoscaler(action, view)
            case _:
                self._tests(action, view, status, memory)

    def _tests(
        self,
        action: actions.LoadTests
        | actions.AdvanceTests
        | actions.ReadTestLog
        | actions.DeleteTests,
        view: Picture,
        status: Status,
        memory: Memory,
    ) -> None:
        match action:
            case actions.LoadTests():
                memory.loaded = True
            case actions.AdvanceTests(weight=weight, suite=suite, run=run):
                key = RunKey(revision=status.state.revision, weight=weight, suite=suite, run=run)
                self._advance(key, view, memory)
            case actions.ReadTestLog():
                hooks = self._cluster.now.hooks(run_key(status))
                memory.log_tail = f"log of {len(hooks)} tests" if hooks else "(the log is gone)"
            case actions.DeleteTests():
                self._cluster.change(runs=())
            case _:
                assert_never(action)

    def _finalizer(self, newest: Resource | None, *, added: bool) -> None:
        resource = self._cluster.now.resource
        if newest is None or newest.finalizer is added:
            return
        if resource is None or resource.version != newest.version:
            message = "the GatewayCanary was changed meanwhile"
            raise ConflictError(message)
        if added and resource.deleting:
            message = "no finalizer can be added to an object that is being deleted"
            raise RefusedError(message)
        if resource.deleting:
            self._cluster.change(resource=None)
        else:
            self._cluster.edit_resource(finalizer=added)

    def _create(self, action: actions.CreateCanary) -> None:
        if self._cluster.now.canary is None:
            self._cluster.set_canary(Canary(revision=action.revision, replicas=action.replicas))

    def _scale(self, replicas: int) -> None:
        canary = self._cluster.now.canary
        if canary is None or canary.deleting:
            message = "the canary Deployment is gone"
            raise ConflictError(message)
        self._cluster.set_canary(replace(canary, replicas=replicas))

    def _delete(self, view: Picture) -> None:
        canary, seen = self._cluster.now.canary, view.canary
        if view.service:
            self._cluster.set_service(there=False)
        if canary is None or seen is None:
            return
        if canary.revision != seen.revision:
            message = "another canary Deployment stands there"
            raise ConflictError(message)
        self._cluster.set_canary(replace(canary, deleting=True))

    def _set_stable(self, image: str, view: Picture) -> None:
        stable, seen = self._cluster.now.stable, view.stable
        if seen is None or seen.image == image:
            return
        if stable is None or stable.image != seen.image:
            message = "stable's image was changed meanwhile"
            raise ConflictError(message)
        self._cluster.edit_stable(image=image)

    def _autoscaler(
        self, action: actions.HoldAutoscaler | actions.ReleaseAutoscaler, view: Picture
    ) -> None:
        if self._cluster.now.scaler is None or view.scaler != self._cluster.now.scaler:
            message = "the autoscaler was changed meanwhile"
            raise ConflictError(message)
        hold = isinstance(action, actions.HoldAutoscaler)
        policy = "Disabled" if hold else getattr(action, "original", None)
        self._cluster.change(scaler=Scaler(policy=policy))

    def _advance(self, key: RunKey, view: Picture, memory: Memory) -> None:
        if not memory.loaded:
            message = "the hooks are not loaded"
            raise RefusedError(message)
        seen = view.hooks(key)
        _, work = run_phase(view, key, memory)
        if not work:
            return
        memory.seen.add((key, len(seen)))
        hooks = self._cluster.now.hooks(key)
        room = len(hooks) == len(seen) < view.suite_length
        if room and all(state == PASSED for state in hooks):
            self._cluster.change(runs=self._cluster.now.with_hooks(key, (*hooks, RUNNING)))

    def _write_route(
        self,
        action: actions.RaiseWeight | actions.WithdrawWeight | actions.RestoreRoute,
        view: Picture,
    ) -> None:
        written = _written(action, view.route)
        raised = isinstance(action, actions.RaiseWeight)
        if written is None or (raised and not view.ingress):
            return
        if not self._route_writable():
            message = "the route cannot be written"
            raise RefusedError(message)
        truth = self._cluster.now.route
        if truth.held:
            self._write_held(action, view)
            return
        if not view.route.attached:
            if not truth.attached:
                self._cluster.change(route=replace(written, born=written.version))
            return
        if truth.born != view.route.born or (raised and truth.version != view.route.version):
            message = "the route was changed meanwhile"
            raise ConflictError(message)
        if not truth.attached:
            if isinstance(action, actions.RestoreRoute):
                return
            message = "our destination is no longer in the route"
            raise ConflictError(message)
        self._cluster.change(route=_written(action, truth) or truth)

    def _write_held(
        self,
        action: actions.RaiseWeight | actions.WithdrawWeight | actions.RestoreRoute,
        view: Picture,
    ) -> None:
        truth = self._cluster.now.route
        withdrawn = isinstance(action, actions.WithdrawWeight)
        if not truth.attached if withdrawn else truth.version != view.route.version:
            message = "the route was changed meanwhile"
            raise ConflictError(message)
        self._cluster.change(route=_written(action, truth) or truth)


def _written(
    action: actions.RaiseWeight | actions.WithdrawWeight | actions.RestoreRoute, route: Route
) -> Route | None:
    """Give the route as this write leaves it; None where it says so already."""
    wanted = _wanted(action, route)
    same = (wanted.attached, wanted.weight, wanted.text, wanted.mark) == (
        route.attached,
        route.weight,
        route.text,
        route.mark,
    )
    return None if same else replace(wanted, version=route.version + 1)


def _wanted(
    action: actions.RaiseWeight | actions.WithdrawWeight | actions.RestoreRoute, route: Route
) -> Route:
    match action:
        case actions.RaiseWeight(weight=weight):
            return replace(route, attached=True, weight=weight, text=str(weight))
        case actions.WithdrawWeight(mark=mark):
            if not route.attached:
                return route
            return replace(route, weight=0, text="0", mark=mark or route.mark)
        case actions.RestoreRoute():
            return replace(route, attached=False, weight=None, text="", mark="")
