"""Run the checks on a few objects, and leave the words out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gatewaycanary.core.checks import problems
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from unit.core.objects import cache, canary, parsed

Brief = tuple[str, str, str]
"""Reason, object, field."""


def found(
    *objects: Object, running: bool = False, mine: Object | None = None, **spec: Any
) -> tuple[Problem, ...]:
    """Find the problems of a GatewayCanary among these objects."""
    own = mine or canary(**spec)
    meta, read = parsed(own)
    return problems(meta=meta, spec=read, lookup=cache(own, *objects), running=running)


def briefly(given: Sequence[Problem]) -> list[Brief]:
    """Leave the words out."""
    return [(problem.reason, problem.object, problem.field) for problem in given]
