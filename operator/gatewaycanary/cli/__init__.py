"""The command line: run, crd, wait and plan.

People see one sentence that they can act on, never a stack trace. Commands answer with the exit
codes of their reference page; a wrong command line is 64 and a cluster that cannot be reached 69
(as in sysexits.h), so that neither is taken for a verdict.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gatewaycanary.cli import parsing
from gatewaycanary.cli.errors import UNAVAILABLE, CommandError
from gatewaycanary.kube.errors import KubeError

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = parsing.parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
        sys.stdout.flush()
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except KubeError as error:
        print(f"error: {error}", file=sys.stderr)
        return UNAVAILABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # NB: the interpreter flushes once more at its end; what it would say then helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
