"""The canary's names: an object there that is not ours is never adopted."""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.manifests import is_ours
from gatewaycanary.core.naming import CANARY_LABEL, OWNER_LABEL, canary_name
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield the objects that stand where ours are to be."""
    wanted = (
        ("Deployment", canary_name(scene.spec.target_ref.name), "targetRef.name"),
        ("Service", scene.spec.resolved_canary_service, "service.canary"),
    )
    for kind, name, field in wanted:
        found = scene.lookup.get(kind, scene.meta.namespace, name)
        if found is not None and not is_ours(found, scene.meta.uid):
            yield Problem(
                reason="NameTaken",
                object=f"{kind} {name}",
                field="metadata.name",
                message=f"the canary's {kind} is to have this name, by spec.{field}, and "
                f"{_whose(found)}; delete or rename it",
            )


def _whose(found: Object) -> str:
    labels = found["metadata"].get("labels") or {}
    if OWNER_LABEL in labels:
        return f"the one there was left by an earlier GatewayCanary {labels.get(CANARY_LABEL, '')}"
    return "the one there is not ours"
