"""From caches to one observation: raw objects are read by pure functions, nothing is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Stage, Status
from gatewaycanary.core import autoscalers, checks, endpoints, manifests, naming, pods
from gatewaycanary.core.lookups import token
from gatewaycanary.core.observation import (
    Autoscaler,
    CanaryWorkload,
    Endpoints,
    Meta,
    Observation,
    Problem,
    RouteView,
    Target,
)
from gatewaycanary.core.writes import Object as Json
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.memory import Memory, Recollection
from gatewaycanary.engine.parsing import Parsed
from gatewaycanary.engine.sources import Key
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
    deployment: Object | None = None
    canary_deployment: Object | None = None
    stable_service: Object | None = None
    canary_service: Object | None = None
    autoscaler: Json | None = None
    route: Route | None = None


class Observer:
    """Look at one canary at a time."""

    def __init__(self, *, caches: Caches, suites: Suites, memory: Memory) -> None:
        self._caches = caches
        self._suites = suites
        self.memory = memory

    def stage(self, key: Key) -> Stage:
        """Tell where a canary stands, as stored."""
        raw = self._caches.get("GatewayCanary", *key) or {}
        stored = (raw.get("status") or {}).get("state") or {}
        return Stage.ROLLING_BACK if stored.get("stage") == "RollingBack" else Stage.RAMPING

    def observe(self, key: Key, *, now: datetime) -> Observed | None:
        """Give the observation of a canary, or None where it is gone."""
        raw = self._caches.get("GatewayCanary", *key)
        if raw is None:
            self.memory.forget(key)
            return None
        kept = self.memory.of(key, uid=raw["metadata"]["uid"])
        parsed = kept.read(raw)
        if parsed.spec is None:
            return self._unparsed(key, raw, parsed, kept, now=now)
        return self._observe(key, raw, parsed, parsed.spec, kept, now=now)

    def _unparsed(
        self, key: Key, raw: Object, parsed: Parsed, kept: Recollection, *, now: datetime
    ) -> Observed:
        observation = Observation(
            now=now,
            meta=parsed.meta,
            spec=None,
            status=parsed.status,
            problems=parsed.problems,
            route_unwritable_since=kept.unwritable_since,
        )
        return Observed(key=key, observation=observation, raw=raw, recollection=kept)

    def _observe(
        self,
        key: Key,
        raw: Object,
        parsed: Parsed,
        spec: GatewayCanarySpec,
        kept: Recollection,
        *,
        now: datetime,
    ) -> Observed:
        namespace, meta = key[0], parsed.meta
        get = self._caches.get
        deployment = get("Deployment", namespace, spec.target_ref.name)
        canary = get("Deployment", namespace, naming.canary_name(spec.target_ref.name))
        canary_service = get("Service", namespace, spec.resolved_canary_service)
        scaler = autoscalers.find(
            self._caches.filed(
                "HorizontalPodAutoscaler",
                namespace,
                token("Deployment", spec.target_ref.name),
            ),
            spec.target_ref.name,
        )
        route, refused = self._route(spec, parsed)
        status = parsed.status
        tests = self._suites.view(parsed, spec, kept, now=now)
        problems = (
            *checks.problems(meta=meta, spec=spec, lookup=self._caches, running=_running(status)),
            *self._route_problems(route, refused),
            *(kept.loaded.problems if kept.loaded else ()),
        )
        observation = Observation(
            now=now,
            meta=meta,
            spec=spec,
            status=status,
            problems=problems,
            warnings=self._warnings(parsed, spec, route),
            target=_target(deployment, spec),
            revision_hash=_revision_hash(deployment, spec),
            canary=_canary(canary, meta),
            canary_service=canary_service is not None
            and manifests.is_ours(canary_service, meta.uid),
            endpoints=self._endpoints(spec, meta, status.state.revision, canary, now=now),
            route=self._route_view(route),
            tests=tests,
            autoscaler=_autoscaler(scaler),
            route_unwritable_since=kept.unwritable_since,
        )
        return Observed(
            key=key,
            observation=observation,
            raw=raw,
            recollection=kept,
            deployment=deployment,
            canary_deployment=canary,
            stable_service=get("Service", namespace, spec.resolved_stable_service),
            canary_service=canary_service,
            autoscaler=scaler,
            route=route,
        )

    def _route(
        self, spec: GatewayCanarySpec, parsed: Parsed
    ) -> tuple[Route | None, tuple[Problem, ...]]:
        provider = registry.find(spec)
        if isinstance(provider, Problem):
            return None, (provider,)
        context = RouteContext.of(spec, meta=parsed.meta, revision=parsed.status.state.revision)
        return Route(provider=provider, context=context), ()

    def _route_problems(
        self, route: Route | None, refused: tuple[Problem, ...]
    ) -> tuple[Problem, ...]:
        if route is None:
            return refused
        return route.provider.problems(route.context, self._caches)

    def _warnings(
        self, parsed: Parsed, spec: GatewayCanarySpec, route: Route | None
    ) -> tuple[Problem, ...]:
        if _running(parsed.status) or route is None:
            return ()
        return (
            *checks.warnings(meta=parsed.meta, spec=spec, lookup=self._caches),
            *route.provider.warnings(route.context, self._caches),
        )

    def _route_view(self, route: Route | None) -> RouteView:
        if route is None:
            return RouteView(present=False)
        return route.provider.view(route.context, self._caches)

    def _endpoints(
        self,
        spec: GatewayCanarySpec,
        meta: Meta,
        revision: str,
        canary: Object | None,
        *,
        now: datetime,
    ) -> Endpoints:
        ours = [pod for pod in self._pods(meta) if _is_canary_pod(pod, revision)]
        faults = [fault for pod in ours if (fault := pods.pod_fault(pod, now)) is not None]
        if canary is not None and (refused := pods.workload_fault(canary)) is not None:
            faults.append(refused)
        looks = [at for pod in ours if (at := pods.look_again_at(pod, now)) is not None]
        return Endpoints(
            stable=self._ready(meta.namespace, spec.resolved_stable_service),
            canary=self._ready(meta.namespace, spec.resolved_canary_service),
            canary_newly_ready_at=pods.newly_ready_at(ours),
            canary_fault=faults[0] if faults else None,
            look_again_at=min(looks, default=None),
        )

    def _ready(self, namespace: str, service: str) -> int:
        slices = self._caches.filed("EndpointSlice", namespace, token("Service", service))
        return endpoints.ready_endpoints(slices, service)

    def _pods(self, meta: Meta) -> list[Object]:
        return [
            pod
            for pod in self._caches.list("Pod", meta.namespace)
            if manifests.is_ours(pod, meta.uid)
        ]


def _running(status: Status) -> bool:
    return status.state.stage is not Stage.RESTING


def _target(deployment: Object | None, spec: GatewayCanarySpec) -> Target | None:
    if deployment is None or deployment["metadata"].get("deletionTimestamp"):
        return None
    return manifests.target_view(deployment, container=spec.container)


def _revision_hash(deployment: Object | None, spec: GatewayCanarySpec) -> str:
    if deployment is None:
        return ""
    image = spec.desired_image(manifests.stable_image(deployment, spec.container))
    return manifests.template_hash(deployment, container=spec.container, image=image)


def _canary(deployment: Object | None, meta: Meta) -> CanaryWorkload | None:
    return None if deployment is None else manifests.canary_view(deployment, uid=meta.uid)


def _autoscaler(scaler: Json | None) -> Autoscaler | None:
    return None if scaler is None else autoscalers.autoscaler_view(scaler)


def _is_canary_pod(pod: Object, revision: str) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return naming.TEST_LABEL not in labels and labels.get(naming.REVISION_LABEL) == revision
