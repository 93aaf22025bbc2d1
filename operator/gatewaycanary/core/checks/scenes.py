"""The objects that checks look at, found once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.core.labels import label_of
from gatewaycanary.core.lookups import Lookup
from gatewaycanary.core.observation import Meta, Problem
from gatewaycanary.core.selectors import CanaryLabel, pod_labels, relabelled
from gatewaycanary.core.writes import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A GatewayCanary among the objects it is about; None stands for those not found.

    ``label`` is a problem where the canary's pods could not be told from stable's.
    """

    meta: Meta
    spec: GatewayCanarySpec
    lookup: Lookup
    running: bool
    deployment: Object | None
    service: Object | None
    label: CanaryLabel | Problem | None

    @classmethod
    def of(cls, *, meta: Meta, spec: GatewayCanarySpec, lookup: Lookup, running: bool) -> Scene:
        """Find the objects."""
        deployment = lookup.get("Deployment", meta.namespace, spec.target_ref.name)
        service = lookup.get("Service", meta.namespace, spec.resolved_stable_service)
        label = label_of(spec, lookup, deployment=deployment, service=service)
        return cls(
            meta=meta,
            spec=spec,
            lookup=lookup,
            running=running,
            deployment=deployment,
            service=service,
            label=label,
        )

    @property
    def labels(self) -> tuple[dict[str, str], dict[str, str]] | None:
        """Give the labels of stable's pods and of the canary's; None while they are not known."""
        if self.deployment is None or not isinstance(self.label, CanaryLabel):
            return None
        stable = pod_labels(self.deployment)
        return stable, relabelled(stable, self.label)

    def listed(self, kind: str) -> Iterable[Object]:
        """Give all objects of a kind in the namespace."""
        return self.lookup.list(kind, self.meta.namespace)
