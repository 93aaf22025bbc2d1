"""Two GatewayCanaries about the same thing: the older one has it, the younger one is refused."""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.lookups import fields, token
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object

KIND = "GatewayCanary"


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield what an older GatewayCanary has already."""
    spec = scene.spec
    shared = (
        ("TargetTaken", "Deployment", spec.target_ref.name, "spec.targetRef.name"),
        (
            "StableServiceTaken",
            "Service",
            spec.resolved_stable_service,
            "spec.service.stable",
        ),
    )
    for reason, kind, name, field in shared:
        rival = _oldest(scene, kind, name)
        if rival is not None:
            yield Problem(
                reason=reason,
                object=f"{KIND} {rival}",
                field=field,
                message=f"it has {kind} {name} already, and two canaries cannot share one; "
                "delete one of the two",
            )


def _oldest(scene: Scene, kind: str, name: str) -> str | None:
    own = scene.lookup.get(KIND, scene.meta.namespace, scene.meta.name)
    mine = ("", scene.meta.uid) if own is None else _age(own)
    older = [
        rival
        for rival in scene.lookup.filed(KIND, scene.meta.namespace, token(kind, name))
        if rival["metadata"]["uid"] != scene.meta.uid
        and _has(rival, kind, name)
        and _age(rival) < mine
    ]
    return str(min(older, key=_age)["metadata"]["name"]) if older else None


def _has(rival: Object, kind: str, name: str) -> bool:
    """Tell whether it is this that the rival moves, and not its canary's side."""
    spec = fields(rival.get("spec"))
    target = fields(spec.get("targetRef")).get("name", "")
    if kind == "Deployment":
        return bool(target == name)
    return bool((fields(spec.get("service")).get("stable") or target) == name)


def _age(canary: Object) -> tuple[str, str]:
    metadata = canary["metadata"]
    return metadata.get("creationTimestamp", ""), metadata["uid"]
