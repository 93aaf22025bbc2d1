"""The cluster by kind, where a Docker engine answers.

The same images and the same data plane as in the cluster from source: Traefik
runs as a pod on the node's own network, and kind maps its port to 127.0.0.1.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster import builds, hosts, imagesets, objects, packages, probes, recipes
from devcluster.clusters import Cluster
from devcluster.errors import ClusterError
from devcluster.flags import traefik_options
from devcluster.images import Entry, Image
from devcluster.layout import Layout
from devcluster.progress import Progress
from devcluster.settings import GATEWAY_ADMIN_PORT, GATEWAY_PORT, GATEWAY_URL, TRAEFIK
from devcluster.waiting import wait_until

_NAME = "gatewaycanary"
_TRAEFIK_IMAGE = f"localhost/traefik:{TRAEFIK}"
_NEEDED = (
    recipes.PODINFO_BUILD,
    recipes.PAUSE_BUILD,
    recipes.TRAEFIK_BUILD,
)


def up(layout: Layout, progress: Progress) -> tuple[Cluster, bool]:
    """Start the cluster unless it runs; tell whether anything had to be done."""
    if not (shutil.which("kubectl") and shutil.which("helm")):
        raise ClusterError("CLUSTER=kind needs kubectl and helm on the PATH")
    packages.ensure(packages.IMAGE_TOOLS, progress)
    built = {r.name: builds.ensure(r, progress, f"build {r.name}") for r in _NEEDED}
    layout.state.mkdir(parents=True, exist_ok=True)
    fresh = _NAME not in hosts.run("kind", "get", "clusters").split()
    if fresh:
        with progress.stage("start kind", "2 minutes"):
            _create(layout, built)
    with progress.stage("start the data plane"):
        _install(layout)
    return _described(layout), fresh


def down(layout: Layout) -> None:
    """Delete the cluster and its description."""
    hosts.run("kind", "delete", "cluster", "--name", _NAME)
    shutil.rmtree(layout.state)


def _described(layout: Layout) -> Cluster:
    return Cluster(
        kind="kind",
        kubeconfig=layout.kubeconfig,
        gateway_url=GATEWAY_URL,
        audit_log=None,
        bin_dir=None,
        state_dir=layout.state,
        gateway_urls={"nginx": GATEWAY_URL},
    )


def configuration() -> Mapping[str, Any]:
    """Describe the kind cluster: one node whose gateway ports are ours on loopback."""
    mappings = [
        {"containerPort": port, "hostPort": port, "listenAddress": "127.0.0.1"}
        for port in (GATEWAY_PORT, GATEWAY_ADMIN_PORT)
    ]
    node = {"role": "control-plane", "extraPortMappings": mappings}
    return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [node]}


def _create(layout: Layout, built: Mapping[str, Path]) -> None:
    create = ("kind", "create", "cluster", "--name", _NAME, "--config", "-", "--wait", "3m")
    kubeconfig = ("--kubeconfig", str(layout.kubeconfig))
    hosts.run(*create, *kubeconfig, stdin=json.dumps(configuration()))
    program = Entry("/traefik", source=built["traefik"] / "traefik")
    traefik = Image(_TRAEFIK_IMAGE, (program,), command=("/traefik",))
    load(imagesets.archive(built, (traefik,)))


def load(archive: Path) -> None:
    """Bring an archive of images onto the node."""
    hosts.run("kind", "load", "image-archive", str(archive), "--name", _NAME)


def data_plane() -> list[dict[str, Any]]:
    """Describe Traefik as a pod on the node's network, with the reads that it needs."""
    meta = {"name": "traefik", "namespace": "kube-system"}
    role, binding = objects.grant("traefik", objects.TRAEFIK_RULES)
    binding["subjects"] = [{"kind": "ServiceAccount", **meta}]
    container = {
        "name": "traefik",
        "image": _TRAEFIK_IMAGE,
        "args": [f"--{key}={value}" for key, value in traefik_options("").items()],
    }
    template = {
        "metadata": {"labels": {"app": "traefik"}},
        "spec": {
            "serviceAccountName": "traefik",
            "hostNetwork": True,
            "dnsPolicy": "ClusterFirstWithHostNet",
            "containers": [container],
        },
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "traefik"}},
            "template": template,
        },
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    return [role, binding, account, objects.ingress_class(), deployment]


def _install(layout: Layout) -> None:
    applied = {"apiVersion": "v1", "kind": "List", "items": data_plane()}
    kubectl = ("kubectl", "--kubeconfig", str(layout.kubeconfig))
    hosts.run(*kubectl, "apply", "--server-side", "-f", "-", stdin=json.dumps(applied))
    if not wait_until(probes.http(f"http://127.0.0.1:{GATEWAY_ADMIN_PORT}/ping"), 120.0):
        said = subprocess.run(
            [*kubectl, "-n", "kube-system", "logs", "deployment/traefik", "--tail=15"],
            check=False,
            capture_output=True,
            text=True,
        )
        raise ClusterError(f"Traefik does not answer; its log:\n{said.stdout or said.stderr}")
