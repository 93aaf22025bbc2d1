"""Run the Helm tests that the state announces: load, plan, perform, read the log, clean up.

The planner (``helmtests.runs``) is pure; here its effects are sent and their answers remembered.
A release is read only when a rollout is about to start, and pinned in the state, so that a
successor in mid-rollout reads the very same revision again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Stage, State
from gatewaycanary.core import lookups, manifests, naming, pods
from gatewaycanary.core.decision import AdvanceTests
from gatewaycanary.core.observation import Meta, Problem, RunPhase, RunView
from gatewaycanary.core.writes import Create, Delete
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.loading import Loader
from gatewaycanary.engine.memory import Loaded, Recollection
from gatewaycanary.engine.parsing import Parsed
from gatewaycanary.engine.writer import Writer, resource_of
from gatewaycanary.helmtests import runs
from gatewaycanary.helmtests.logs import TAIL_LINES, LogSource, tail
from gatewaycanary.helmtests.memory import ObjectKey
from gatewaycanary.helmtests.release import TEST_KINDS, Hook
from gatewaycanary.helmtests.render import Aim, RunKey, ServiceAddress
from gatewaycanary.helmtests.steps import Suite
from gatewaycanary.kube.client import Client, is_gone
from gatewaycanary.kube.errors import ApiError, FencedError, KubeError, NotFoundError, SpecError
from gatewaycanary.kube.resources import JOB, POD, Object

EXPIRY = timedelta(seconds=30)
EFFECTS_AT_ONCE = 64

Key = tuple[str, str]


class Suites:
    """The tests of all canaries."""

    def __init__(
        self,
        *,
        client: Client,
        writer: Writer,
        caches: Caches,
        clock: Callable[[], datetime],
        cluster_domain: str,
        allow_roles: bool = False,
    ) -> None:
        self._client = client
        self._writer = writer
        self._caches = caches
        self._clock = clock
        self._cluster_domain = cluster_domain
        self._loader = Loader(client=client, allow_roles=allow_roles)

    def view(
        self, parsed: Parsed, spec: GatewayCanarySpec, kept: Recollection, *, now: datetime
    ) -> RunView:
        """Tell where the announced run stands, or stood when the rollout turned back."""
        state = parsed.status.state
        return replace(
            self._standing(parsed, spec, kept, now=now),
            log_tail=kept.logs.get(state.revision, ""),
            objects_left=self._objects_left(parsed.meta, kept, state),
        )

    def problems(self, parsed: Parsed, kept: Recollection, *, now: datetime) -> tuple[Problem, ...]:
        """Tell what forbids to run the tests that were read.

        At rest that is forgotten when it expires, so that the start is tried, and the release read,
        again. In mid-rollout it stands until they are read anew, or it would never last.
        """
        loaded = current(kept, parsed.status.state, now=now)
        if loaded is None and parsed.status.state.stage is not Stage.RESTING:
            loaded = kept.loaded
        return () if loaded is None else loaded.problems

    def _standing(
        self, parsed: Parsed, spec: GatewayCanarySpec, kept: Recollection, *, now: datetime
    ) -> RunView:
        loaded = current(kept, parsed.status.state, now=now)
        if not spec.tests:
            return RunView()
        if loaded is None:
            return RunView(phase=RunPhase.UNLOADED)
        planned = self._plan(parsed, spec, kept, loaded, now=now)
        if planned is not None:
            kept.run = planned.memory
            return planned.view
        return RunView(
            releases=loaded.releases,
            look_again_at=loaded.expires if loaded.problems else None,
        )

    async def load(self, key: Key, kept: Recollection) -> None:
        """Read the hooks of the releases that the spec names."""
        parsed = self._parsed(key, kept)
        if parsed is None or parsed.spec is None:
            return
        expires = self._clock() + EXPIRY
        kept.loaded = await self._loader.load(parsed, parsed.spec, expires=expires)

    async def advance(self, key: Key, kept: Recollection, action: AdvanceTests) -> bool:
        """Perform what the announced run needs now; tell whether there was anything."""
        for performed in range(EFFECTS_AT_ONCE):
            planned = self._announced(key, kept, action)
            if planned is None or planned.effect is None:
                return performed > 0
            kept.run = planned.memory
            await self._perform(kept, planned.effect)
        return True

    async def read_log(self, key: Key, kept: Recollection) -> None:
        """Read the failed test's log into memory; say so where there is none."""
        parsed = self._parsed(key, kept)
        if parsed is not None:
            kept.logs = {parsed.status.state.revision: await self._failed_log(key, kept, parsed)}

    async def _failed_log(self, key: Key, kept: Recollection, parsed: Parsed) -> str:
        if parsed.spec is None:
            return "(no log: the spec cannot be read)"
        if current(kept, parsed.status.state, now=self._clock()) is None:
            await self.load(key, kept)
        loaded = kept.loaded or Loaded()
        planned = self._plan(parsed, parsed.spec, kept, loaded, now=self._clock())
        if planned is None or planned.log is None:
            said = planned.view.log_tail if planned else ""
            return said or "(no log: the test's pod is gone)"
        return tail(await self._log(key[0], planned.log))

    async def delete(self, key: Key, kept: Recollection) -> None:
        """Delete all test objects of a canary."""
        parsed = self._parsed(key, kept)
        if parsed is None:
            return
        if kept.loaded is None and parsed.spec is not None and parsed.spec.tests:
            await self.load(key, kept)
        for resource in (JOB, POD):
            if resource.kind in self._kinds_cached(parsed.meta):
                answer = await self._client.delete_collection(
                    resource,
                    namespace=key[0],
                    label_selector=runs.cleanup_selector(parsed.meta.uid),
                )
                self._put_back(resource.kind, answer)
        for hook in (kept.loaded or Loaded()).supporting:
            await self._delete_supporting(hook, parsed.meta)
        kept.cleaned = parsed.status.state.ordinal

    async def _delete_supporting(self, hook: Hook, meta: Meta) -> None:
        """Delete what a hook made, if it is ours: by name, so that no right to more is needed."""
        resource = resource_of(hook.api_version, hook.kind)
        try:
            found = await self._client.get(resource, namespace=meta.namespace, name=hook.name)
        except NotFoundError:
            return
        if manifests.is_ours(found, meta.uid) and _is_test(found):
            await self._writer.delete(
                Delete(
                    api_version=hook.api_version,
                    kind=hook.kind,
                    namespace=meta.namespace,
                    name=hook.name,
                    uid=found["metadata"]["uid"],
                )
            )

    def _put_back(self, kind: str, answer: Object) -> None:
        for item in answer.get("items") or ():
            metadata = item["metadata"]
            place = {"namespace": metadata["namespace"], "name": metadata["name"]}
            if is_gone(item):
                self._caches.remove(kind, **place, uid=metadata["uid"])
            else:
                self._caches.put(kind, item)

    def _parsed(self, key: Key, kept: Recollection) -> Parsed | None:
        raw = self._caches.get("GatewayCanary", *key)
        return None if raw is None else kept.read(raw)

    def _announced(self, key: Key, kept: Recollection, action: AdvanceTests) -> runs.Plan | None:
        """Plan the run if it is still the one that the stored status announces."""
        parsed = self._parsed(key, kept)
        if parsed is None or parsed.spec is None:
            return None
        state = parsed.status.state
        named = (state.announced, state.suite, state.run)
        loaded = current(kept, state, now=self._clock())
        if named != (action.weight, action.suite, action.run) or loaded is None:
            return None
        return self._plan(parsed, parsed.spec, kept, loaded, now=self._clock())

    async def _perform(self, kept: Recollection, effect: Create | Delete) -> None:
        if isinstance(effect, Delete):
            left = await self._writer.delete(effect)
            kept.run = kept.run.without(effect.kind, effect.name)
            if left is not None:
                kept.run = kept.run.with_object(effect.kind, left, now=self._clock())
            return
        try:
            answer = await self._writer.create(effect)
        except SpecError as error:
            if not isinstance(error, ApiError):
                raise
            fault = pods.refusal(code=error.status, message=error.message)
            if fault is None:
                raise
            kept.run = kept.run.with_refusal(effect.kind, effect.name, fault)
            return
        kept.run = kept.run.with_object(effect.kind, answer, now=self._clock())

    async def _log(self, namespace: str, source: LogSource) -> str:
        try:
            return await self._client.logs(
                namespace=namespace,
                name=source.pod,
                container=source.container,
                tail_lines=TAIL_LINES,
            )
        except FencedError:
            raise
        except KubeError as error:
            return f"(the log could not be read: {error})"

    def _plan(
        self,
        parsed: Parsed,
        spec: GatewayCanarySpec,
        kept: Recollection,
        loaded: Loaded,
        *,
        now: datetime,
    ) -> runs.Plan | None:
        state, meta = parsed.status.state, parsed.meta
        if loaded.problems or state.run == 0 or state.stage is Stage.RESTING:
            return None
        if state.suite >= min(len(loaded.hooks), len(spec.tests)):
            return None
        suite = Suite(
            release=spec.tests[state.suite].helm.release,
            hooks=loaded.hooks[state.suite],
            aim=self._aim(spec, state, meta),
        )
        return runs.plan(
            suite,
            run_key(parsed),
            attempt=state.attempt,
            objects=self._objects(meta),
            selectors=[
                service["spec"].get("selector")
                for service in self._caches.list("Service", meta.namespace)
            ],
            memory=kept.run,
            now=now,
        )

    def _aim(self, spec: GatewayCanarySpec, state: State, meta: Meta) -> Aim:
        wanted = spec.tests[state.suite]
        reached = sum(weight <= state.announced for weight in spec.weights)
        return Aim(
            target=wanted.target,
            timeout=wanted.timeout,
            stable=self._address(meta.namespace, spec.resolved_stable_service),
            canary=self._address(meta.namespace, spec.resolved_canary_service),
            image=state.image,
            step=f"{reached}/{len(spec.weights)}",
            cluster_domain=self._cluster_domain,
            sidecar=spec.traffic.provider_name != "istio",
        )

    def _address(self, namespace: str, name: str) -> ServiceAddress:
        service = self._caches.get("Service", namespace, name) or {}
        addresses = (service.get("spec") or {}).get("clusterIPs") or ()
        return ServiceAddress(name=name, cluster_ips=tuple(addresses))

    def _objects(self, meta: Meta) -> dict[ObjectKey, Object]:
        return {
            (kind, obj["metadata"]["name"]): obj
            for kind in sorted(TEST_KINDS)
            for obj in self._caches.filed(kind, meta.namespace, lookups.owner_token(meta.uid))
            if _is_test(obj)
        }

    def _kinds_cached(self, meta: Meta) -> list[str]:
        return sorted({kind for kind, _ in self._objects(meta)})

    def _objects_left(self, meta: Meta, kept: Recollection, state: State) -> bool:
        if any(not pods.is_deleting(obj) for obj in self._objects(meta).values()):
            return True
        ran = bool(state.releases) and (state.run > 0 or state.recorded > 0)
        unsure = kept.loaded is None or bool(kept.loaded.supporting)
        return ran and unsure and kept.cleaned != state.ordinal


def run_key(parsed: Parsed) -> RunKey:
    """Name the run that the state announces, or announced when the rollout turned back."""
    meta, state, failure = parsed.meta, parsed.status.state, parsed.status.failure
    return RunKey(
        uid=meta.uid,
        namespace=meta.namespace,
        canary=meta.name,
        revision=state.revision,
        weight=state.announced or (failure.weight if failure else 0),
        suite=state.suite,
        run=state.run,
    )


def current(kept: Recollection, state: State, *, now: datetime) -> Loaded | None:
    """Give what was loaded, if it was for this rollout and has not expired."""
    loaded = kept.loaded
    resting = state.stage is Stage.RESTING
    if loaded is None or loaded.ordinal != (state.ordinal + 1 if resting else state.ordinal):
        kept.loaded = None
        return None
    lasting = not resting and not loaded.problems
    fresh = lasting or loaded.expires is None or now < loaded.expires
    return loaded if fresh else None


def _is_test(obj: Object) -> bool:
    return naming.RUN_LABEL in (obj["metadata"].get("labels") or {})
