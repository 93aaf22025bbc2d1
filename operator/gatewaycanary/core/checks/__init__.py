"""What a rollout needs of the objects around it, beyond what the schema can see.

A problem forbids the rollout and names the object, its field and what to do about it; a warning is
only told. One file a concern; each check looks at a ``Scene`` and yields what it finds. Order
matters to people: the first problem is the one that is shown, so causes come before consequences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.core.checks import images, mesh, names, policies, rivals, services, targets
from gatewaycanary.core.checks.scenes import Scene
from gatewaycanary.core.lookups import Lookup
from gatewaycanary.core.observation import Meta, Problem

Check = Callable[[Scene], Iterator[Problem]]

_PROBLEMS: tuple[Check, ...] = (
    rivals.problems,
    targets.problems,
    images.problems,
    services.problems,
    names.problems,
    services.catching,
    policies.problems,
    mesh.problems,
)
_WARNINGS: tuple[Check, ...] = (images.warnings, policies.warnings)


def problems(
    *, meta: Meta, spec: GatewayCanarySpec, lookup: Lookup, running: bool
) -> tuple[Problem, ...]:
    """Tell what forbids the rollout.

    While one is ``running``, a target that is gone or has no replicas is not among them: that is a
    wait with a name of its own.
    """
    scene = Scene.of(meta=meta, spec=spec, lookup=lookup, running=running)
    return tuple(problem for check in _PROBLEMS for problem in check(scene))


def warnings(*, meta: Meta, spec: GatewayCanarySpec, lookup: Lookup) -> tuple[Problem, ...]:
    """Tell what a person should know before the rollout."""
    scene = Scene.of(meta=meta, spec=spec, lookup=lookup, running=False)
    return tuple(warning for check in _WARNINGS for warning in check(scene))
