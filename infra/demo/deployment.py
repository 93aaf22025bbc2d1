"""Deploy soma-stack in a mode on the cluster, and test it: `make stack MODE=prod`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import devcluster
from devcluster import ClusterError
from devcluster.progress import Progress
from imagery import builds, recipes

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = {"dev_full": "dev", "dev_prod": "prod", "prod": "prod", "prod_ha": "prod-ha"}
"""What each mode lays over the chart's values."""


def main(arguments: list[str]) -> int:
    """Deploy a mode into the namespace that bears its name."""
    (mode,) = arguments
    if mode not in OVERLAYS:
        print(f"MODE={mode} is not known; use one of {', '.join(OVERLAYS)}", file=sys.stderr)
        return 64
    try:
        load_images()
        return deploy(mode)
    except (ClusterError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1


def load_images() -> None:
    """Start the cluster if need be, and bring the images into it."""
    up = [sys.executable, "-m", "devcluster", "up"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "infra")}
    subprocess.run(up, env=environment, stdout=2, check=True)
    progress = Progress([f"build {each.tag}" for each in recipes.STACK])
    for archive in builds.ensure(recipes.STACK, progress):
        devcluster.load(archive)


def deploy(mode: str) -> int:
    """Run the script that deploys, with what this cluster needs on top of a mode's overlay."""
    local = ROOT / "infra" / "helm" / "local" / f"{OVERLAYS[mode]}-values.yaml"
    given = {
        "MODE": mode,
        "NAMESPACE": f"soma-{mode.replace('_', '-')}",
        "VALUES": str(local),
        **devcluster.current().environment(os.environ.get("PATH", "")),
    }
    script = ROOT / "scripts" / "deploy-stack.sh"
    return subprocess.run([str(script)], env={**os.environ, **given}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
