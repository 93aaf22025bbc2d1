"""Build images, and load them into the cluster that is up: `python -m imagery operator`."""

from __future__ import annotations

import argparse
import sys

import devcluster
from devcluster.progress import Progress
from imagery import builds, recipes


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="imagery", description=__doc__)
    parser.add_argument("names", nargs="+", choices=sorted(recipes.SETS), metavar="NAME")
    parser.add_argument("--load", action="store_true", help="load them into the cluster")
    given = parser.parse_args()
    wanted = [recipe for name in given.names for recipe in recipes.SETS[name]]
    try:
        archives = builds.ensure(wanted, Progress([f"build {each.tag}" for each in wanted]))
        for recipe, archive in zip(wanted, archives, strict=True):
            if given.load:
                devcluster.load(archive)
            print(f"{recipe.tag}\t{archive}")
    except devcluster.ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
