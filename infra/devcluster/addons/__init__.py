"""What a cluster may hold beyond the bare one, one module each.

An addon is data: what it is built from, how its programs are called, which
objects it writes. Enabled, its programs are components like any other: the
same walk starts, repairs, shows and ends them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster.builds import Recipe
from devcluster.errors import ClusterError
from devcluster.flags import Invocation
from devcluster.layout import Layout

Builds = Mapping[str, Path]
"""Finished builds by name."""


def _no_files(_layout: Layout) -> Mapping[Path, str]:
    return {}


def _no_definitions(_layout: Layout) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Addon:
    """Describe one addon."""

    name: str
    version: str
    recipes: tuple[Recipe, ...]
    links: Callable[[Layout, Builds], Mapping[Path, Path]]
    """Where its programs and data lie in the cluster's directory, and in which build."""
    programs: Callable[[Layout], Mapping[str, Invocation]]
    objects: Callable[[], list[dict[str, Any]]]
    """What it writes, in this order; taken away in the other."""
    files: Callable[[Layout], Mapping[Path, str]] = _no_files
    """The configuration that its programs read."""
    definitions: Callable[[Layout], Path | None] = _no_definitions
    """The file with the kinds that it brings."""
    url: str | None = None
    """Where its gateway is reached, if it is one."""


def known() -> Mapping[str, Addon]:
    """Return every addon by its name."""
    from devcluster.addons import gateway_api, istio, kwok

    return {addon.name: addon for addon in (istio.ADDON, gateway_api.ADDON, kwok.ADDON)}


def named(name: str) -> Addon:
    """Find an addon by its name."""
    addons = known()
    if name not in addons:
        raise ClusterError(f"no addon {name!r}; known: {', '.join(addons)}")
    return addons[name]


def parse(names: str) -> list[Addon]:
    """Find addons by their names, which commas separate."""
    return [named(name) for name in filter(None, map(str.strip, names.split(",")))]


def recipes_of(addons: Iterable[Addon]) -> tuple[Recipe, ...]:
    """List what addons are built from, each recipe once."""
    return tuple({recipe.name: recipe for addon in addons for recipe in addon.recipes}.values())


def enabled(layout: Layout) -> list[Addon]:
    """List the addons of the running cluster."""
    return [addon for name, addon in known().items() if (layout.addons / name).exists()]


def together(layout: Layout, more: Iterable[Addon]) -> list[Addon]:
    """List the addons of the running cluster and more, in the order in which they start."""
    wanted = {addon.name for addon in (*enabled(layout), *more)}
    return [addon for name, addon in known().items() if name in wanted]


def enable(layout: Layout, addon: Addon) -> None:
    """Make an addon part of the cluster from its next start or repair on."""
    layout.addons.mkdir(parents=True, exist_ok=True)
    (layout.addons / addon.name).touch()


def disable(layout: Layout, addon: Addon) -> None:
    """Make an addon no longer part of the cluster."""
    (layout.addons / addon.name).unlink(missing_ok=True)
