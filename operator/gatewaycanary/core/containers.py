"""Which container of the target gets the image."""

from __future__ import annotations

from typing import Any

from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object

CONTAINERS = "spec.template.spec.containers"


def containers(deployment: Object) -> list[Any]:
    """Give the containers of a Deployment's pods."""
    template = deployment.get("spec", {}).get("template", {})
    return list(template.get("spec", {}).get("containers") or ())


def container_index(deployment: Object, chosen: str | None) -> int | Problem:
    """Find the container: the one that is named, or the only one."""
    names = [str(container.get("name", "")) for container in containers(deployment)]
    if chosen is None:
        return 0 if len(names) == 1 else _ambiguous(deployment, names)
    if chosen in names:
        return names.index(chosen)
    return Problem(
        reason="ContainerMissing",
        object=_object(deployment),
        field=CONTAINERS,
        message=f"there is no container {chosen}, which spec.container names; there is: "
        + ", ".join(names),
    )


def _ambiguous(deployment: Object, names: list[str]) -> Problem:
    return Problem(
        reason="ContainerAmbiguous",
        object=_object(deployment),
        field=CONTAINERS,
        message="the pod has several containers; set spec.container to the one that gets the "
        f"image: {', '.join(names)}",
    )


def _object(deployment: Object) -> str:
    return f"Deployment {deployment.get('metadata', {}).get('name', '')}"
