"""Store a decision's status by compare-and-set, and tell its events."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from gatewaycanary.core.decision import Decision
from gatewaycanary.engine.caches import Caches
from gatewaycanary.engine.observe import Observed
from gatewaycanary.engine.statuses import status_patch
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import AlreadyExistsError, FencedError, KubeError
from gatewaycanary.kube.resources import EVENT, GATEWAY_CANARY
from gatewaycanary.telemetry.events import manifest
from gatewaycanary.telemetry.metrics import Metrics

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
        answer = await self._client.merge_patch(
            GATEWAY_CANARY,
            patch,
            namespace=meta.namespace,
            name=meta.name,
            subresource="status",
        )
        self._caches.put(GATEWAY_CANARY.kind, answer)
        self._metrics.observe_transition(meta, observation.status, decision.status)
        return True

    async def tell(self, observed: Observed, decision: Decision) -> None:
        """Post the decision's events; one that cannot be posted holds nothing up."""
        for event in decision.events:
            body = manifest(
                event,
                meta=observed.observation.meta,
                status=decision.status,
                now=self._clock(),
                instance=self._instance,
            )
            try:
                await self._client.create(
                    EVENT, body, namespace=observed.observation.meta.namespace
                )
            except AlreadyExistsError:
                continue
            except FencedError:
                raise
            except KubeError as error:
                _log.warning("event %s was not posted: %s", event.reason, error)
