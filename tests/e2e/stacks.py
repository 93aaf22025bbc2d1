"""The platform's chart with its part beside it, and its environment file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from devcluster import Cluster
from proving import clusters
from proving.helm import Helm
from proving.operators import ROOT

HELM = ROOT / "infra" / "helm"
SCRIPTS = ROOT / "scripts"


class Stack:
    """Lay out the chart in a folder, for one namespace of a cluster."""

    def __init__(self, cluster: Cluster, namespace: str, folder: Path) -> None:
        self.helm: Helm = clusters.helm_of(cluster, namespace)
        self.chart = folder / "helm" / "soma-stack"
        shutil.copytree(HELM, folder / "helm", ignore=shutil.ignore_patterns("charts"))
        # NB: a folder is a part like an archive, and nothing needs to be packed.
        shutil.copytree(folder / "helm" / "outbox-sync", self.chart / "charts" / "outbox-sync")


def environment(mode: str, folder: Path) -> Path:
    """Write a mode's environment file."""
    path = folder / "global.env"
    subprocess.run([str(SCRIPTS / "generate-global-env.sh"), mode, str(path)], check=True)
    return path
