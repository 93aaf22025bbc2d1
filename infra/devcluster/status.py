"""What runs, since when, and where its log is."""

import json
from collections.abc import Sequence

from devcluster import addons, components
from devcluster.api import Client
from devcluster.clusters import Cluster
from devcluster.components import Component
from devcluster.errors import ClusterError
from devcluster.layout import Layout
from devcluster.progress import spoken
from devcluster.settings import HELM, NODE, TRAEFIK

_HEAD = ("COMPONENT", "STATE", "PID", "UPTIME", "LOG")


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(part: Component) -> tuple[str, ...]:
    process = part.process()
    if process is None:
        return (part.name, "down", "-", "-", str(part.log))
    state = "up" if part.ready() else "not ready"
    return (part.name, state, str(process.pid), spoken(process.uptime()), str(part.log))


def _node(layout: Layout) -> tuple[str, bool]:
    try:
        client = Client(layout.pki)
        version = client.read("/version")["gitVersion"]
        ready = client.node_ready(NODE)
    except (ClusterError, OSError, json.JSONDecodeError) as error:
        return f"API server does not answer: {error}", False
    return f"node {NODE}: {'Ready' if ready else 'not Ready'}, Kubernetes {version}", ready


def report(layout: Layout, cluster: Cluster | None) -> tuple[list[str], bool]:
    """Describe the cluster in lines, and tell whether all of it is well."""
    if cluster is not None and cluster.kind != "source":
        return [f"{cluster.kind} cluster, kubeconfig {cluster.kubeconfig}"], True
    rows = [_row(part) for part in components.all_components(layout)]
    node, ready = _node(layout)
    more = (addon.version for addon in addons.enabled(layout))
    versions = ", ".join([f"Helm v{HELM}", f"Traefik v{TRAEFIK}", *more])
    return [*table([_HEAD, *rows]), f"{node}, {versions}"], ready and all(
        row[1] == "up" for row in rows
    )
