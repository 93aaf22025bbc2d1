"""Store a decision's status by compare-and-set, and tell its events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from gatewaycanary.api.status import Condition, Phase, Status, dump_status
from gatewaycanary.core.decision import Decision, Event
from gatewaycanary.core.observation import Meta
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.observe import Observed
from gatewaycanary.engine.parsing import UnreadableStatusError, read_meta
from gatewaycanary.engine.relations import Key
from gatewaycanary.engine.statuses import status_patch
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import AlreadyExistsError, FencedError, KubeError
from gatewaycanary.kube.resources import EVENT, GATEWAY_CANARY
from gatewaycanary.telemetry.events import manifest
from gatewaycanary.telemetry.metrics import Metrics

UNREADABLE = "StatusUnreadable"

_log = logging.getLogger(__name__)


class Recorder:
    """Write statuses and events."""

    def __init__(
        self,
        *,
        client: Client,
        caches: Caches,
        metrics: Metrics,
        clock: Callable[[], datetime],
        instance: str,
    ) -> None:
        self._client = client
        self._caches = caches
        self._metrics = metrics
        self._clock = clock
        self._instance = instance

    async def record(self, observed: Observed, decision: Decision) -> bool:
        """Store the status if it differs from the stored one; tell whether it did.

        Raises:
            ConflictError: somebody wrote since this version was read.
        """
        observation = observed.observation
        if decision.status == observation.status:
            return False
        meta = observation.meta
        patch = status_patch(
            observed.raw.get("status") or {},
            decision.status,
            resource_version=meta.resource_version,
        )
        if patch is None:
            return False
        await self._store(meta, patch)
        self._metrics.observe_transition(meta, observation.status, decision.status)
        return True

    async def tell(self, meta: Meta, status: Status, events: Iterable[Event]) -> None:
        """Post events; one that cannot be posted holds nothing up."""
        for event in events:
            body = manifest(
                event, meta=meta, status=status, now=self._clock(), instance=self._instance
            )
            try:
                await self._client.create(EVENT, body, namespace=meta.namespace)
            except AlreadyExistsError:
                continue
            except FencedError:
                raise
            except KubeError as error:
                _log.warning("event %s was not posted: %s", event.reason, error)

    async def tell_unreadable(self, key: Key, error: UnreadableStatusError) -> None:
        """Say that the position cannot be read, and leave it as it is for a version that can.

        Raises:
            ConflictError: somebody wrote since this version was read.
        """
        raw = self._caches.get(GATEWAY_CANARY.kind, *key)
        if raw is None:
            return
        meta, stored = read_meta(raw), raw.get("status") or {}
        message = f"{error}; nothing is done until a version of the operator runs that can read it"
        _log.error("%s/%s: %s", *key, message)
        if (stored.get("phase"), stored.get("message")) != (Phase.INVALID, message):
            shown = _stalled(meta, message, now=self._clock())
            metadata = {"resourceVersion": meta.resource_version}
            await self._store(meta, {"metadata": metadata, "status": shown})
        event = Event(reason=UNREADABLE, message=message, warning=True)
        await self.tell(meta, Status(observed_generation=meta.generation), [event])

    async def _store(self, meta: Meta, patch: Mapping[str, Any]) -> None:
        answer = await self._client.merge_patch(
            GATEWAY_CANARY,
            patch,
            namespace=meta.namespace,
            name=meta.name,
            subresource="status",
        )
        self._caches.put(GATEWAY_CANARY.kind, answer)


def _stalled(meta: Meta, message: str, *, now: datetime) -> dict[str, Any]:
    shown = {"Ready": False, "Reconciling": False, "Stalled": True}
    conditions = tuple(
        Condition(
            type=kind,
            status=str(holds),
            reason=UNREADABLE,
            message=message,
            observed_generation=meta.generation,
            last_transition_time=now,
        )
        for kind, holds in shown.items()
    )
    said = dump_status(
        Status(
            observed_generation=meta.generation,
            phase=Phase.INVALID,
            message=message,
            conditions=conditions,
        )
    )
    return {key: said[key] for key in ("observedGeneration", "phase", "message", "conditions")}
