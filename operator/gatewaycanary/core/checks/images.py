"""The image: the same one under another spelling would be rolled out to no purpose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.manifests import stable_image
from gatewaycanary.core.observation import Problem

_HUB: Final = ("index.docker.io/", "registry-1.docker.io/", "docker.io/")


def warnings(scene: Scene) -> Iterator[Problem]:
    """Yield a wanted image that names what stable runs in other words."""
    if scene.deployment is None:
        return
    current = stable_image(scene.deployment, scene.spec.container)
    wanted = scene.spec.desired_image(current)
    if current and wanted != current and plain(wanted) == plain(current):
        yield Problem(
            reason="SameImage",
            object=f"Deployment {scene.spec.target_ref.name}",
            field="spec.template.spec.containers",
            message=f"stable runs {current}, and {wanted} is the same image spelled otherwise",
        )


def plain(image: str) -> str:
    """Spell an image as short as it goes: without the default registry, folder and tag."""
    name, at, digest = image.partition("@")
    for host in _HUB:
        name = name.removeprefix(host)
    name = name.removeprefix("library/")
    if at:
        folder, slash, last = name.rpartition("/")
        return f"{folder}{slash}{last.partition(':')[0]}@{digest}"
    return name.removesuffix(":latest")
