"""Perform the effects that a decision names; each is safe to repeat."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import assert_never

from gatewaycanary.core import (
    autoscalers,
    decision,
    fieldowners,
    labels,
    manifests,
    naming,
    selectors,
)
from gatewaycanary.core.decision import Action
from gatewaycanary.core.observation import Problem, RouteView
from gatewaycanary.core.writes import Create, Delete, JsonPatch, Object, Write
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.observe import Observed, Route, container_of
from gatewaycanary.engine.testing import Suites
from gatewaycanary.engine.writer import Writer
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import ConflictError, SpecError
from gatewaycanary.kube.resources import GATEWAY_CANARY

RouteAction = (
    decision.RaiseWeight | decision.WithdrawWeight | decision.RestoreRoute | decision.DisownRoute
)
WorkloadAction = (
    decision.CreateCanary
    | decision.CreateCanaryService
    | decision.ScaleCanary
    | decision.DeleteCanary
    | decision.SetStableImage
)
TestAction = (
    decision.LoadTests | decision.AdvanceTests | decision.ReadTestLog | decision.DeleteTests
)


class Actor:
    """Turn actions into requests."""

    def __init__(self, *, client: Client, writer: Writer, caches: Caches, suites: Suites) -> None:
        self._client = client
        self._writer = writer
        self._caches = caches
        self._suites = suites

    async def perform(self, observed: Observed, action: Action) -> bool:
        """Perform one effect; tell whether to look again though no cache has changed."""
        match action:
            case (
                decision.RaiseWeight()
                | decision.WithdrawWeight()
                | decision.RestoreRoute()
                | decision.DisownRoute()
            ):
                await self._route(observed, action)
            case decision.AddFinalizer() | decision.RemoveFinalizer():
                await self._finalizers(observed, add=isinstance(action, decision.AddFinalizer))
            case (
                decision.LoadTests()
                | decision.AdvanceTests()
                | decision.ReadTestLog()
                | decision.DeleteTests()
            ):
                return await self._test(observed, action)
            case decision.HoldAutoscaler() | decision.ReleaseAutoscaler():
                await self._autoscaler(observed, action)
            case _:
                await self._workload(observed, action)
        return False

    async def _workload(self, observed: Observed, action: WorkloadAction) -> None:
        match action:
            case decision.CreateCanary():
                await self._create_canary(observed, action)
            case decision.CreateCanaryService():
                await self._create_service(observed)
            case decision.ScaleCanary():
                await self._scale(observed, action)
            case decision.DeleteCanary():
                await self._delete_canary(observed)
            case decision.SetStableImage():
                await self._set_image(observed, action)
            case _:
                assert_never(action)

    async def _test(self, observed: Observed, action: TestAction) -> bool:
        key, kept = observed.key, observed.recollection
        match action:
            case decision.LoadTests():
                await self._suites.load(key, kept)
            case decision.AdvanceTests():
                return await self._suites.advance(key, kept, action)
            case decision.ReadTestLog():
                await self._suites.read_log(key, kept)
            case decision.DeleteTests():
                await self._suites.delete(key, kept)
        return True

    async def _send(self, write: Write | Problem | None, *, urgent: bool = False) -> Object | None:
        if isinstance(write, Problem):
            raise SpecError(write.sentence())
        return None if write is None else await self._writer.send(write, urgent=urgent)

    async def _route(self, observed: Observed, action: RouteAction) -> None:
        route = observed.route
        if route is None:
            return
        match action:
            case decision.RaiseWeight(weight=weight):
                write = route.provider.raise_weight(route.context, self._caches, weight=weight)
                await self._send(write)
            case decision.WithdrawWeight(mark=mark):
                write = route.provider.withdraw(route.context, self._caches, mark=mark)
                await self._send(write, urgent=True)
            case decision.RestoreRoute():
                await self._send(route.provider.restore(route.context, self._caches))
            case decision.DisownRoute():
                pass
        await self._disown(route, observed.observation.route)

    async def _disown(self, route: Route, view: RouteView) -> None:
        """Give a person's route back to its owner; what this look cannot, the next one will."""
        # NB: the look that announces the first raise was made before the status held what it found.
        found = view.written_by_owner or route.context.found
        context = replace(route.context, found=found)
        with suppress(ConflictError):
            await self._send(route.provider.disown(context, self._caches))

    async def _finalizers(self, observed: Observed, *, add: bool) -> None:
        metadata = self._newest(observed)["metadata"]
        place = {"namespace": metadata["namespace"], "name": metadata["name"]}
        found = metadata.get("finalizers") or []
        if add is (naming.FINALIZER in found):
            return
        others = [one for one in found if one != naming.FINALIZER]
        wanted = [*others, naming.FINALIZER] if add else others
        answer = await self._client.merge_patch(
            GATEWAY_CANARY,
            {
                "metadata": {
                    "resourceVersion": metadata["resourceVersion"],
                    "finalizers": wanted or None,
                }
            },
            **place,
        )
        deleted = answer["metadata"].get("deletionTimestamp") is not None
        if deleted and not wanted:
            self._caches.remove(GATEWAY_CANARY.kind, **place, uid=metadata["uid"])
            return
        self._caches.put(GATEWAY_CANARY.kind, answer)

    def _newest(self, observed: Observed) -> Object:
        """Give the object as it is after our own status write of this same look."""
        now = self._caches.get(GATEWAY_CANARY.kind, *observed.key)
        same = now is not None and now["metadata"]["uid"] == observed.raw["metadata"]["uid"]
        return observed.raw if now is None or not same else now

    def _label(self, observed: Observed) -> selectors.CanaryLabel:
        spec, around = observed.observation.spec, observed.around
        label = None
        if spec is not None:
            label = labels.label_of(
                spec,
                self._caches,
                deployment=around.deployment,
                service=around.stable_service,
            )
        if isinstance(label, Problem):
            raise SpecError(label.sentence())
        if label is None:
            raise SpecError("the target or the stable Service is gone")
        return label

    async def _create_canary(self, observed: Observed, action: decision.CreateCanary) -> None:
        label = self._label(observed)
        spec, meta = observed.observation.spec, observed.observation.meta
        if spec is None or observed.around.deployment is None:
            return
        manifest = manifests.canary_deployment(
            observed.around.deployment,
            label=label,
            container=spec.container,
            uid=meta.uid,
            canary=meta.name,
            revision=action.revision,
            image=action.image,
            replicas=action.replicas,
        )
        await self._send(Create(manifest=manifest))

    async def _create_service(self, observed: Observed) -> None:
        label = self._label(observed)
        spec, meta = observed.observation.spec, observed.observation.meta
        if spec is None or observed.around.stable_service is None:
            return
        manifest = manifests.canary_service(
            observed.around.stable_service,
            name=spec.resolved_canary_service,
            label=label,
            uid=meta.uid,
            canary=meta.name,
            revision=observed.observation.status.state.revision,
        )
        await self._send(Create(manifest=manifest))

    async def _scale(self, observed: Observed, action: decision.ScaleCanary) -> None:
        if observed.around.canary_deployment is None:
            return
        uid = observed.observation.meta.uid
        await self._send(
            manifests.scale_patch(
                observed.around.canary_deployment, uid=uid, replicas=action.replicas
            )
        )

    async def _delete_canary(self, observed: Observed) -> None:
        uid = observed.observation.meta.uid
        for obj in (observed.around.canary_deployment, observed.around.canary_service):
            if obj is not None and manifests.is_ours(obj, uid):
                await self._send(_delete(obj))

    async def _set_image(self, observed: Observed, action: decision.SetStableImage) -> None:
        if observed.around.deployment is None:
            return
        await self._send(
            manifests.set_image_patch(
                observed.around.deployment,
                container=container_of(observed.raw),
                image=action.image,
            )
        )

    async def _autoscaler(
        self, observed: Observed, action: decision.HoldAutoscaler | decision.ReleaseAutoscaler
    ) -> None:
        scaler = observed.around.autoscaler
        if scaler is None or scaler["metadata"]["name"] != action.name:
            return
        write: JsonPatch | None
        if isinstance(action, decision.HoldAutoscaler):
            write = autoscalers.hold_patch(scaler)
        else:
            write = autoscalers.release_patch(scaler, original=action.original)
        answer = await self._send(write)
        if answer is not None:
            await self._send(
                fieldowners.disown_patch(
                    answer, api_version="autoscaling/v2", kind="HorizontalPodAutoscaler"
                )
            )


def _delete(obj: Object) -> Delete:
    metadata = obj["metadata"]
    return Delete(
        api_version=obj["apiVersion"],
        kind=obj["kind"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
    )
