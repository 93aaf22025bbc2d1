"""The images: stable's must be one; the same under another spelling would be rolled out in vain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.manifests import stable_image
from gatewaycanary.core.observation import Problem

_HUB: Final = ("index.docker.io/", "registry-1.docker.io/", "docker.io/")

LONGEST: Final = 512
"""Characters: as in a spec. What is longer can be pulled from nowhere, and a status holds it."""


def problems(scene: Scene) -> Iterator[Problem]:
    """Yield an image of stable's that is none."""
    if scene.deployment is None:
        return
    current = stable_image(scene.deployment, scene.spec.container)
    if len(current) > LONGEST:
        yield Problem(
            reason="ImageTooLong",
            object=f"Deployment {scene.spec.target_ref.name}",
            field="spec.template.spec.containers",
            message=f"its image has {len(current)} characters, and none that can be pulled has "
            f"more than {LONGEST}; set it right",
        )


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
