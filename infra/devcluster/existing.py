"""The cluster that the user already has, as the current KUBECONFIG names it.

Nothing is installed and nothing removed: only where it is gets written down.
"""

import os
import shutil
import subprocess
from pathlib import Path

from devcluster.clusters import Cluster
from devcluster.errors import ClusterError
from devcluster.layout import Layout


def up(layout: Layout) -> Cluster:
    """Describe the cluster of the current KUBECONFIG, if it answers."""
    given = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not Path(given).is_file():
        raise ClusterError(f"CLUSTER=existing takes one KUBECONFIG file, found none at {given}")
    gateway = os.environ.get("GATEWAY_URL")
    if not gateway:
        raise ClusterError("CLUSTER=existing needs GATEWAY_URL, where its ingress is reached")
    if shutil.which("kubectl") is None or shutil.which("helm") is None:
        raise ClusterError("CLUSTER=existing needs kubectl and helm on the PATH")
    asked = ["kubectl", "--kubeconfig", given, "version", "--request-timeout=10s"]
    if subprocess.run(asked, check=False, capture_output=True).returncode != 0:
        raise ClusterError(f"the cluster of {given} does not answer")
    return Cluster(
        kind="existing",
        kubeconfig=Path(given),
        gateway_url=gateway,
        audit_log=None,
        bin_dir=None,
        state_dir=layout.state,
        gateway_urls={"nginx": gateway},
    )


def down(layout: Layout) -> None:
    """Forget the cluster; nothing of it is touched."""
    shutil.rmtree(layout.state)
