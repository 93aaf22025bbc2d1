"""A real Kubernetes cluster for development and tests, in one command.

`current()` tells a test where the cluster is; `component(name)` stops and
starts one of its programs, where the cluster was made from source; `load(archive)`
brings images into it.
"""

from pathlib import Path

from devcluster import components, loading
from devcluster.clusters import Cluster, required
from devcluster.components import Component
from devcluster.errors import ClusterError
from devcluster.layout import default_layout

__all__ = ["Cluster", "ClusterError", "Component", "component", "current", "load"]


def current() -> Cluster:
    """Describe the running cluster; raise ClusterError where there is none."""
    return required(default_layout())


def component(name: str) -> Component:
    """Find a component of the running cluster by its name, such as "kube-apiserver"."""
    if current().kind != "source":
        raise ClusterError("only a cluster from source has components to stop and start")
    return components.named(default_layout(), name)


def load(archive: Path) -> None:
    """Bring an archive of images into the running cluster; once is enough."""
    loading.load(default_layout(), archive)
