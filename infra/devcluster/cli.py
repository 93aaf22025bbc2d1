"""The command line: up, down, status, env, build and addon.

`env` writes shell to standard output and everything else goes to standard
error, so that `eval "$(make -s cluster-env)"` evaluates what it should.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence

from devcluster import addons, choice, clusters, existing, kind, source, status, teardown
from devcluster.addons import Addon
from devcluster.clusters import Cluster
from devcluster.errors import ClusterError
from devcluster.layout import Layout, default_layout
from devcluster.locks import held
from devcluster.progress import Progress, spoken
from devcluster.settings import GATEWAY_URL


def _described(where: Layout) -> Cluster:
    more = {addon.name: addon.url for addon in addons.enabled(where) if addon.url}
    return Cluster(
        kind="source",
        kubeconfig=where.kubeconfig,
        gateway_url=GATEWAY_URL,
        audit_log=where.audit_log,
        bin_dir=where.bin,
        state_dir=where.state,
        gateway_urls={"nginx": GATEWAY_URL, **more},
    )


def _start(
    where: Layout, wanted: clusters.Kind, more: Sequence[Addon], progress: Progress
) -> tuple[Cluster, bool]:
    if wanted == "source":
        changed = source.up(where, progress, more)
        return _described(where), changed
    if more:
        raise ClusterError(f"addons need a cluster from source, and this one is of kind {wanted}")
    if wanted == "kind":
        return kind.up(where, progress)
    return existing.up(where), True


def up(arguments: argparse.Namespace) -> int:
    """Start the cluster, or repair it."""
    where, more = default_layout(), addons.parse(arguments.addons)
    progress = Progress(source.stages(addons.together(where, more)))
    with held(where.lock, "cluster-up"):
        before = clusters.load(where)
        wanted = before.kind if before and arguments.cluster == "auto" else None
        wanted = wanted or choice.choose(arguments.cluster)
        if before is not None and before.kind != wanted:
            raise ClusterError(f"a cluster of kind {before.kind} is up: run `make cluster-down`")
        cluster, changed = _start(where, wanted, more, progress)
        clusters.save(cluster, where)
    took = spoken(progress.elapsed())
    said = f"cluster is up ({took})" if changed else f"cluster was up already ({took})"
    progress.note(f"{said}: gateway {cluster.gateway_url}, kubeconfig {cluster.kubeconfig}")
    for name in sorted(cluster.gateway_urls.keys() - {"nginx"}):
        progress.note(f"{name}: gateway {cluster.gateway_urls[name]}")
    progress.note('for your shell: eval "$(make -s cluster-env)"')
    return 0


def down(_arguments: argparse.Namespace) -> int:
    """Take the cluster down and leave nothing behind but the builds."""
    where, progress = default_layout(), Progress(teardown.STAGES)
    with held(where.lock, "cluster-down"):
        cluster = clusters.load(where)
        found = _end(where, cluster.kind if cluster else "source", progress)
        where.lock.unlink()
    told = f"cluster is down ({spoken(progress.elapsed())})" if found else "no cluster was up"
    progress.note(told)
    return 0


def _end(where: Layout, was: clusters.Kind, progress: Progress) -> bool:
    if was == "source":
        return teardown.down(where, progress)
    if was == "kind":
        kind.down(where)
    else:
        existing.down(where)
    return True


def addon(arguments: argparse.Namespace) -> int:
    """Add something to the running cluster, or take it away."""
    where, wanted = default_layout(), addons.named(arguments.name)
    with held(where.lock, f"addon {wanted.name} {arguments.action}"):
        if clusters.required(where).kind != "source":
            raise ClusterError("addons need a cluster from source")
        if arguments.action == "up":
            more = addons.together(where, [wanted])
            source.up(where, Progress(source.stages(more)), more)
        else:
            source.disable(where, wanted)
        clusters.save(_described(where), where)
    return 0


def show_status(_arguments: argparse.Namespace) -> int:
    """Tell what runs; exit 1 unless all of it does."""
    where = default_layout()
    cluster = clusters.load(where)
    if cluster is None and not where.records.exists():
        print("no cluster is up: run `make cluster-up`")
        return 1
    lines, healthy = status.report(where, cluster)
    print("\n".join(lines))
    return 0 if healthy else 1


def show_environment(_arguments: argparse.Namespace) -> int:
    """Write the shell variables for using the cluster."""
    cluster = clusters.required(default_layout())
    for name, value in cluster.environment(os.environ.get("PATH", "")).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def build(arguments: argparse.Namespace) -> int:
    """Build everything the cluster is made of, without starting it."""
    more = addons.parse(arguments.addons)
    source.build(Progress(source.stages(more)), more)
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "down": down,
    "status": show_status,
    "env": show_environment,
    "build": build,
    "addon": addon,
}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    described = argparse.ArgumentParser(prog="devcluster", description=__doc__)
    commands = described.add_subparsers(dest="command", required=True)
    for name, function in _COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__)
        if name == "up":
            command.add_argument(
                "--cluster",
                default=os.environ.get("CLUSTER") or "auto",
                help="auto, source, kind or existing (default: the variable CLUSTER, else auto)",
            )
        if name in ("up", "build"):
            command.add_argument(
                "--addons",
                default=os.environ.get("ADDONS", ""),
                help=f"of {', '.join(addons.known())}, separated by commas "
                "(default: the variable ADDONS, else none)",
            )
        if name == "addon":
            command.add_argument("name", choices=sorted(addons.known()))
            command.add_argument("action", choices=("up", "down"))
    return described


def main() -> int:
    """Run one command; print what a person can act on instead of a stack trace."""
    arguments = parser().parse_args()
    try:
        return _COMMANDS[arguments.command](arguments)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
    return 1
