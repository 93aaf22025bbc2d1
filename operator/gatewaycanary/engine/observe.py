"""From caches to one observation: raw objects are read by pure functions, nothing is asked.

A spec that does not parse is observed too, as far as names can be read from it: a way back to
stable must not wait for a valid spec.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Stage, Status
from gatewaycanary.core import autoscalers, checks, manifests
from gatewaycanary.core.observation import (
    Autoscaler,
    CanaryWorkload,
    Endpoints,
    Observation,
    Problem,
    RouteView,
    RunView,
    Target,
)
from gatewaycanary.core.writes import Object as Json
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.memory import Memory, Recollection
from gatewaycanary.engine.parsing import Parsed
from gatewaycanary.engine.relations import Key
from gatewaycanary.engine.statuses import stored_stage
from gatewaycanary.engine.surroundings import Surroundings, both_sides, look
from gatewaycanary.engine.testing import Suites
from gatewaycanary.kube.resources import Object
from gatewaycanary.traffic import registry
from gatewaycanary.traffic.protocol import Provider, RouteContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The provider that moves this canary's traffic, and between what."""

    provider: Provider
    context: RouteContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """An observation and the raw objects that its effects are made from."""

    key: Key
    observation: Observation
    raw: Object
    recollection: Recollection
    around: Surroundings
    route: Route | None = None


class Observer:
    """Look at one canary at a time."""

    def __init__(self, *, caches: Caches, suites: Suites, memory: Memory) -> None:
        self._caches = caches
        self._suites = suites
        self.memory = memory

    def stage(self, key: Key) -> Stage:
        """Tell where a canary stands, as stored; RESTING where that cannot be read."""
        return stored_stage(self._caches.get("GatewayCanary", *key) or {})

    def observe(self, key: Key, *, now: datetime) -> Observed | None:
        """Give the observation of a canary, or None where it is gone."""
        raw = self._caches.get("GatewayCanary", *key)
        if raw is None:
            self.memory.forget(key)
            return None
        kept = self.memory.of(key, uid=raw["metadata"]["uid"])
        parsed = kept.read(raw)
        route = _route(raw, parsed)
        around = Surroundings() if route is None else look(self._caches, route.context)
        observation = Observation(
            now=now,
            meta=parsed.meta,
            spec=parsed.spec,
            status=parsed.status,
            problems=(*parsed.problems, *self._problems(parsed, kept, route, now=now)),
            warnings=self._warnings(parsed, route),
            target=_target(around.deployment, container=container_of(raw)),
            revision_hash=_revision_hash(around.deployment, parsed.spec),
            canary=_canary(around.canary_deployment, parsed),
            canary_service=_is_ours(around.canary_service, parsed),
            endpoints=self._endpoints(parsed, route, around, now=now),
            route=self._route_view(route),
            tests=self._tests(parsed, kept, now=now),
            autoscaler=_autoscaler(around.autoscaler),
            route_unwritable_since=kept.unwritable_since,
        )
        return Observed(
            key=key,
            observation=observation,
            raw=raw,
            recollection=kept,
            around=around,
            route=route,
        )

    def _problems(
        self, parsed: Parsed, kept: Recollection, route: Route | None, *, now: datetime
    ) -> tuple[Problem, ...]:
        if parsed.spec is None:
            return ()
        around = checks.problems(
            meta=parsed.meta,
            spec=parsed.spec,
            lookup=self._caches,
            running=_running(parsed.status),
        )
        of_route = () if route is None else route.provider.problems(route.context, self._caches)
        return (*around, *of_route, *self._suites.problems(parsed, kept, now=now))

    def _warnings(self, parsed: Parsed, route: Route | None) -> tuple[Problem, ...]:
        if _running(parsed.status) or route is None or parsed.spec is None:
            return ()
        return (
            *checks.warnings(meta=parsed.meta, spec=parsed.spec, lookup=self._caches),
            *route.provider.warnings(route.context, self._caches),
        )

    def _endpoints(
        self, parsed: Parsed, route: Route | None, around: Surroundings, *, now: datetime
    ) -> Endpoints:
        if route is None:
            return Endpoints()
        return both_sides(
            self._caches,
            route.context,
            around,
            meta=parsed.meta,
            revision=parsed.status.state.revision,
            now=now,
        )

    def _route_view(self, route: Route | None) -> RouteView:
        if route is None:
            return RouteView(present=False)
        return route.provider.view(route.context, self._caches)

    def _tests(self, parsed: Parsed, kept: Recollection, *, now: datetime) -> RunView:
        if parsed.spec is None:
            return RunView(log_tail="(no log: the spec cannot be read)")
        return self._suites.view(parsed, parsed.spec, kept, now=now)


def _route(raw: Object, parsed: Parsed) -> Route | None:
    meta, state = parsed.meta, parsed.status.state
    if parsed.spec is None:
        salvaged = registry.salvage(
            raw.get("spec") or {}, meta=meta, revision=state.revision, found=state.route
        )
        return None if salvaged is None else Route(provider=salvaged[0], context=salvaged[1])
    context = RouteContext.of(parsed.spec, meta=meta, revision=state.revision, found=state.route)
    return Route(provider=registry.find(parsed.spec), context=context)


def _running(status: Status) -> bool:
    return status.state.stage is not Stage.RESTING


def container_of(raw: Object) -> str | None:
    """Name the container that gets the image, even in a spec that does not parse."""
    named = (raw.get("spec") or {}).get("container")
    return named if isinstance(named, str) else None


def _target(deployment: Json | None, *, container: str | None) -> Target | None:
    if deployment is None or deployment["metadata"].get("deletionTimestamp"):
        return None
    return manifests.target_view(deployment, container=container)


def _revision_hash(deployment: Json | None, spec: GatewayCanarySpec | None) -> str:
    if deployment is None or spec is None:
        return ""
    image = spec.desired_image(manifests.stable_image(deployment, spec.container))
    return manifests.template_hash(deployment, container=spec.container, image=image)


def _canary(deployment: Json | None, parsed: Parsed) -> CanaryWorkload | None:
    return None if deployment is None else manifests.canary_view(deployment, uid=parsed.meta.uid)


def _is_ours(obj: Json | None, parsed: Parsed) -> bool:
    return obj is not None and manifests.is_ours(obj, parsed.meta.uid)


def _autoscaler(scaler: Json | None) -> Autoscaler | None:
    return None if scaler is None else autoscalers.autoscaler_view(scaler)
