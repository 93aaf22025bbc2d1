"""Which kind of cluster to use.

An existing cluster is used only when asked for by name: nobody's production
is found by accident. Of the other two, kind is the better-known one and so
the choice wherever a container engine answers.
"""

import shutil
import subprocess

from devcluster.clusters import Kind
from devcluster.errors import ClusterError

KINDS: tuple[Kind, ...] = ("source", "kind", "existing")


def choose(wanted: str) -> Kind:
    """Turn what was asked for (or "auto") into a kind of cluster."""
    if wanted == "auto":
        return "kind" if _engine_answers() else "source"
    for kind in KINDS:
        if kind == wanted:
            return kind
    raise ClusterError(f"CLUSTER={wanted} is not known; use auto, {', '.join(KINDS)}")


def _engine_answers() -> bool:
    if not (shutil.which("kind") and shutil.which("docker")):
        return False
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0
