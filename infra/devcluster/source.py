"""The cluster from source: host processes on this machine's own containerd.

Starting is repairing: every step looks at what is there and does what is
missing. So the same walk makes a new cluster, mends one that lost a process,
and finds in a second that nothing is to be done.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devcluster import (
    addons,
    builds,
    certificates,
    components,
    definitions,
    files,
    hosts,
    imagesets,
    loading,
    objects,
    packages,
    probes,
    recipes,
    teardown,
)
from devcluster.addons import Addon
from devcluster.api import Client
from devcluster.builds import Recipe
from devcluster.components import Component
from devcluster.definitions import Definition
from devcluster.errors import ClusterError
from devcluster.layout import Layout
from devcluster.progress import Progress
from devcluster.settings import CLUSTER_DOMAIN, DNS_IP, NODE
from devcluster.waiting import wait_until

_PROGRAMS = (
    "coredns",
    "etcd",
    "helm",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
_FIRST = ("etcd", "containerd")


def needed(more: Sequence[Addon]) -> tuple[Recipe, ...]:
    """List what a cluster with these addons is built from."""
    return (*recipes.BASE, *addons.recipes_of(more))


def stages(more: Sequence[Addon]) -> tuple[str, ...]:
    """Name the stages of starting a cluster with these addons."""
    return (
        *(f"build {recipe.name}" for recipe in needed(more)),
        "start the control plane",
        "start the node and the data plane",
    )


def build(progress: Progress, more: Sequence[Addon] = ()) -> Mapping[str, Path]:
    """Build everything that is not in the cache; return the builds by name."""
    packages.ensure(packages.IMAGE_TOOLS, progress)
    return {
        recipe.name: builds.ensure(recipe, progress, f"build {recipe.name}")
        for recipe in needed(more)
    }


def up(layout: Layout, progress: Progress, wanted: Sequence[Addon] = ()) -> bool:
    """Start or repair the cluster with what it has and what is wanted; tell whether it changed."""
    if os.geteuid() != 0:
        raise ClusterError("the cluster from source runs containers: start it as root")
    if layout.ending.exists():
        # What a half-finished down has left is no cluster to repair.
        teardown.down(layout, progress)
    packages.ensure(packages.NODE_TOOLS, progress)
    more = addons.together(layout, wanted)
    built = build(progress, more)
    archive = imagesets.archive(built)
    # Marked only now, so that what cannot be built does not stand in the way of every later start.
    for addon in more:
        addons.enable(layout, addon)
    _lay_out(layout, built, more)
    hosts.prepare(layout)
    parts = components.all_components(layout)
    changed = _start_control_plane(layout, parts, archive, progress)
    return _start_node(layout, parts, progress) or changed


def _lay_out(layout: Layout, built: Mapping[str, Path], more: Sequence[Addon]) -> None:
    layout.state.mkdir(parents=True, exist_ok=True)
    for directory in (layout.logs, layout.records, layout.bin, layout.audit_log.parent):
        directory.mkdir(exist_ok=True)
    certificates.ensure(layout.pki)
    contents = dict(files.contents(layout))
    links = {layout.bin / name: built["kubernetes"] / "kubernetes" for name in _PROGRAMS}
    links[layout.bin / "traefik"] = built["traefik"] / "traefik"
    for addon in more:
        contents |= addon.files(layout)
        links |= addon.links(layout, built)
    files.write(contents)
    for path, target in links.items():
        _link(path, target)


def _link(path: Path, target: Path) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.rename(path)


def _launch(parts: list[Component]) -> bool:
    launched = [part.launch() for part in parts]
    return any(launched)


def _start_control_plane(
    layout: Layout, parts: tuple[Component, ...], archive: Path, progress: Progress
) -> bool:
    by_name = {part.name: part for part in parts}
    with progress.stage("start the control plane"):
        changed = _launch([by_name[name] for name in _FIRST])
        by_name["etcd"].await_ready()
        changed |= by_name["kube-apiserver"].launch()
        # Images are unpacked while the API server starts: each takes a few seconds of one core.
        with ThreadPoolExecutor(max_workers=1) as pool:
            importing = pool.submit(_import_images, layout, by_name["containerd"], archive)
            by_name["kube-apiserver"].await_ready()
            importing.result()
        _write_objects(layout)
    return changed


def _write_objects(layout: Layout) -> None:
    client = Client(layout.pki)
    for thing in objects.base():
        client.apply(thing)
    for addon in addons.enabled(layout):
        definitions.establish(client, _definitions(layout, addon))
        for thing in addon.objects():
            client.apply(thing)


def _definitions(layout: Layout, addon: Addon) -> list[Definition]:
    path = addon.definitions(layout)
    return definitions.parse(path.read_text()) if path is not None and path.exists() else []


def _import_images(layout: Layout, containerd: Component, archive: Path) -> None:
    containerd.await_ready()
    loading.import_archive(layout, archive)


def _start_node(layout: Layout, parts: tuple[Component, ...], progress: Progress) -> bool:
    with progress.stage("start the node and the data plane"):
        changed = _launch(list(parts))
        for part in parts:
            part.await_ready()
        _await(lambda: Client(layout.pki).node_ready(NODE), "the node does not become Ready")
        name = f"kubernetes.default.svc.{CLUSTER_DOMAIN}"
        _await(probes.dns(DNS_IP, 53, name), f"{DNS_IP} does not resolve {name}")
    return changed


def disable(layout: Layout, addon: Addon) -> None:
    """End an addon's programs and delete its objects, and every object of its kinds."""
    if addon not in addons.enabled(layout):
        return
    client = Client(layout.pki)
    for name in addon.programs(layout):
        components.named(layout, name).stop()
    for thing in reversed(addon.objects()):
        client.delete(thing)
    for definition in _definitions(layout, addon):
        client.delete(definition.reference())
    addons.disable(layout, addon)


def _await(condition: probes.Probe, complaint: str) -> None:
    if not wait_until(condition, 60.0):
        raise ClusterError(f"{complaint} within 60 s")
