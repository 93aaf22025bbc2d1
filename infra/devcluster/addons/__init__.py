"""What a cluster may hold beyond the bare one, one module each.

An addon is data: what it is built from, how its programs are called, which
objects it writes. Enabled, its programs are components like any other: the
same walk starts, repairs, shows and ends them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devcluster.builds import Recipe
from devcluster.errors import ClusterError
from devcluster.flags import Invocation
from devcluster.layout import Layout


@dataclass(frozen=True, slots=True)
class Addon:
    """Describe one addon."""

    name: str
    recipes: tuple[Recipe, ...]
    programs: Callable[[Layout], Mapping[str, Invocation]]
    objects: Callable[[], list[dict[str, Any]]]


def known() -> Mapping[str, Addon]:
    """Return every addon by its name."""
    from devcluster.addons import kwok

    return {addon.name: addon for addon in (kwok.ADDON,)}


def named(name: str) -> Addon:
    """Find an addon by its name."""
    addons = known()
    if name not in addons:
        raise ClusterError(f"no addon {name!r}; known: {', '.join(addons)}")
    return addons[name]


def enabled(layout: Layout) -> list[Addon]:
    """List the addons of the running cluster."""
    return [addon for name, addon in known().items() if (layout.addons / name).exists()]


def enable(layout: Layout, addon: Addon) -> None:
    """Make an addon part of the cluster from its next start or repair on."""
    layout.addons.mkdir(parents=True, exist_ok=True)
    (layout.addons / addon.name).touch()


def disable(layout: Layout, addon: Addon) -> None:
    """Make an addon no longer part of the cluster."""
    (layout.addons / addon.name).unlink(missing_ok=True)
