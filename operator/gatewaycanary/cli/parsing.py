"""The commands and their options, with the help that people read.

`run` imports the operator only when it runs: the other commands start without kopf.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn, get_args

from gatewaycanary.api.crd import crd_yaml
from gatewaycanary.api.durations import parse_duration
from gatewaycanary.cli import planning, waiting
from gatewaycanary.cli.errors import USAGE
from gatewaycanary.engine.options import LogFormat, LogLevel, Options

DEFAULTS = Options()

_DESCRIPTION = """\
Move a gateway's traffic to a new image in tested steps.

Apply a GatewayCanary, and the operator (`gatewaycanary run`) puts the new image beside the stable
one, shifts traffic to it step by step, runs the release's Helm tests after each shift, and then
promotes the image or returns all traffic to stable.
"""

_WAIT = """\
Wait until the rollout that a GatewayCanary asks for has ended. Prints one line for each change, and
the failed test's log at the end. It is bound to what the object asks for at its start: it never
answers for an older rollout, nor for another image.

exit codes:
  0   promoted, nothing to do, or handover reached
  1   rolled back or aborted, or stable has left the promoted image
  2   the GatewayCanary is invalid
  3   the time is over
  4   another image was asked for, or the GatewayCanary was deleted
  64  the command line is wrong
  69  the cluster cannot be reached
"""

_PLAN = """\
Say what a GatewayCanary would do, step by step, and what would be refused. Nothing is written to
the cluster. Without a cluster (--offline) only the spec itself is checked.

exit codes:
  0   it would run
  2   it would be refused
  64  the command line or the file is wrong
  69  the cluster cannot be reached
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is no verdict: it exits with 64."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"error: {message}\n")


def parser() -> Parser:
    """Describe the command line."""
    described = Parser(
        prog="gatewaycanary",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = described.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_crd(commands)
    _add_wait(commands)
    _add_plan(commands)
    return described


Commands = argparse._SubParsersAction


def _add(commands: Commands[Parser], name: str, about: str, description: str) -> Parser:
    return commands.add_parser(
        name,
        help=about,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_run(commands: Commands[Parser]) -> None:
    about = "run the operator"
    command = _add(commands, "run", about, "Run the operator until it is told to stop.")
    command.set_defaults(command=_run)
    _add_connection(command)
    add = command.add_argument
    _add_scope(command)
    add(
        "--metrics-port",
        type=_port,
        default=DEFAULTS.metrics_port,
        metavar="PORT",
        help="port of /metrics (default: %(default)s)",
    )
    add(
        "--probe-port",
        type=_port,
        default=DEFAULTS.probe_port,
        metavar="PORT",
        help="port of /healthz and /readyz (default: %(default)s)",
    )
    _add_lease(command)
    _add_pace(command)
    _add_logs(command)
    add(
        "--cluster-domain",
        default=DEFAULTS.cluster_domain,
        metavar="DOMAIN",
        help="the cluster's DNS domain, by which tests may call the gateway (default: %(default)s)",
    )
    add(
        "--allow-test-roles",
        action="store_true",
        help="let Helm tests bring Roles and RoleBindings of their own (default: they are refused)",
    )


def _add_scope(command: Parser) -> None:
    command.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="serve only this namespace; may be given several times (default: all)",
    )
    command.add_argument(
        "--exclude-namespace",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="never serve this namespace; may be given several times",
    )


def _add_lease(command: Parser) -> None:
    command.add_argument(
        "--leader-elect",
        action=argparse.BooleanOptionalAction,
        default=DEFAULTS.leader_elect,
        help="let only the holder of a Lease work, so that several replicas may run (default: on)",
    )
    command.add_argument(
        "--lease-name",
        default=DEFAULTS.lease_name,
        metavar="NAME",
        help="name of the Lease (default: %(default)s)",
    )
    command.add_argument(
        "--lease-namespace",
        default=DEFAULTS.lease_namespace,
        metavar="NAMESPACE",
        help="namespace of the Lease (default: the one that the operator runs in)",
    )


def _add_pace(command: Parser) -> None:
    command.add_argument(
        "--workers",
        type=_count,
        default=DEFAULTS.workers,
        metavar="COUNT",
        help="GatewayCanaries looked at side by side (default: %(default)s)",
    )
    command.add_argument(
        "--qps",
        type=_rate,
        default=DEFAULTS.qps,
        metavar="RATE",
        help="requests a second to the API server, at most (default: %(default)g)",
    )
    command.add_argument(
        "--burst",
        type=_count,
        default=DEFAULTS.burst,
        metavar="COUNT",
        help="requests at once after a rest (default: %(default)s)",
    )


def _add_logs(command: Parser) -> None:
    command.add_argument(
        "--log-level",
        choices=get_args(LogLevel),
        default=DEFAULTS.log_level,
        help="the least level that is logged (default: %(default)s)",
    )
    command.add_argument(
        "--log-format",
        choices=get_args(LogFormat),
        default=DEFAULTS.log_format,
        help="one line of text or one JSON object a record (default: %(default)s)",
    )


def _add_crd(commands: Commands[Parser]) -> None:
    about = "print the CustomResourceDefinition"
    command = _add(commands, "crd", about, "Print the CustomResourceDefinition, to be applied.")
    command.set_defaults(command=_crd)


def _add_wait(commands: Commands[Parser]) -> None:
    command = _add(commands, "wait", "wait for a rollout's end, for CI", _WAIT)
    command.set_defaults(command=waiting.wait)
    add = command.add_argument
    add("name", metavar="NAME", help="the GatewayCanary")
    add("-n", "--namespace", metavar="NAMESPACE", help="its namespace (default: the context's)")
    add(
        "--timeout",
        type=_duration,
        default=timedelta(minutes=30),
        metavar="DURATION",
        help="how long to wait at most, such as 90s or 1h30m (default: 30m)",
    )
    add("--image", metavar="IMAGE", help="refuse to wait (exit code 4) for any other image")
    _add_connection(command)


def _add_plan(commands: Commands[Parser]) -> None:
    command = _add(commands, "plan", "say what a GatewayCanary would do, touching nothing", _PLAN)
    command.set_defaults(command=planning.plan)
    add = command.add_argument
    add("-f", "--filename", required=True, metavar="FILE", help="a YAML file, or - for the input")
    add(
        "-n",
        "--namespace",
        metavar="NAMESPACE",
        help="namespace of objects that name none (default: the context's)",
    )
    add("--offline", action="store_true", help="check the spec alone, without any cluster")
    _add_connection(command)


def _add_connection(command: Parser) -> None:
    command.add_argument(
        "--kubeconfig",
        metavar="FILE",
        help="kubeconfig file (default: KUBECONFIG, the pod's service account, ~/.kube/config)",
    )
    command.add_argument("--context", metavar="NAME", help="context of the kubeconfig")


def _run(arguments: argparse.Namespace) -> int:
    from gatewaycanary import app

    return app.run(options(arguments))


def options(arguments: argparse.Namespace) -> Options:
    """Give the operator's options as they stand on a command line."""
    return Options(
        kubeconfig=arguments.kubeconfig,
        context=arguments.context,
        namespaces=tuple(dict.fromkeys(arguments.namespace)),
        excluded_namespaces=tuple(dict.fromkeys(arguments.exclude_namespace)),
        metrics_port=arguments.metrics_port,
        probe_port=arguments.probe_port,
        leader_elect=arguments.leader_elect,
        lease_name=arguments.lease_name,
        lease_namespace=arguments.lease_namespace,
        workers=arguments.workers,
        qps=arguments.qps,
        burst=arguments.burst,
        log_level=arguments.log_level,
        log_format=arguments.log_format,
        cluster_domain=arguments.cluster_domain,
        allow_test_roles=arguments.allow_test_roles,
    )


def _crd(_arguments: argparse.Namespace) -> int:
    print(crd_yaml(), end="")
    return 0


def _checked(text: str, read: Callable[[str], float], *, least: float, most: float) -> float:
    try:
        value = read(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} is not between {least:g} and {most:g}")
    return value


def _port(text: str) -> int:
    return int(_checked(text, int, least=1, most=65535))


def _count(text: str) -> int:
    return int(_checked(text, int, least=1, most=10_000))


def _rate(text: str) -> float:
    return _checked(text, float, least=0.1, most=10_000)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None
