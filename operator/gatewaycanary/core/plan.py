"""What a GatewayCanary would do, step by step, told without touching anything.

The plan is made of the same rules as the rollout: the weights of the spec, the endpoints that each
needs, the problems that the checks find. What is not known offline (stable's image and replicas,
the tests of a release) is left open and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gatewaycanary.api.durations import format_duration
from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.steps import Step
from gatewaycanary.core import readiness
from gatewaycanary.core.naming import canary_name
from gatewaycanary.core.observation import Problem, Target
from gatewaycanary.core.writes import Object

_SERVICE_VARIABLE = re.compile(r"\b[A-Z0-9_]+_SERVICE_(?:HOST|PORT)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPlan:
    """A test hook of a release, as its chart wrote it."""

    name: str
    manifest: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of the cluster; without a target, its image and replicas are open.

    ``hooks``: for each of the spec's suites the hooks that run. ``hosts``: of the stable routes.
    """

    target: Target | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    hooks: tuple[tuple[HookPlan, ...], ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would happen. ``runs`` is False where something refuses it."""

    headline: str
    steps: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Tell whether nothing refuses the rollout."""
        return not self.refusals

    def lines(self) -> tuple[str, ...]:
        """Write the plan for a terminal."""
        return (
            self.headline,
            *(f"  {number:>2}. {step}" for number, step in enumerate(self.steps, 1)),
            *_section("would be refused:", self.refusals),
            *_section("to be known:", self.notes),
        )


def plan(spec: GatewayCanarySpec, *, name: str, known: Surroundings) -> Plan:
    """Plan the rollout of a GatewayCanary of that name."""
    headline = _headline(spec, name, known.target)
    refusals = tuple(_told(problem) for problem in known.problems)
    notes = (*(_told(warning) for warning in known.warnings), *_notes(spec, known))
    target = known.target
    if target is not None and spec.desired_image(target.image) == target.image:
        idle = "nothing: stable runs this image already"
        return Plan(headline=headline, steps=(idle,), refusals=refusals, notes=notes)
    return Plan(headline=headline, steps=tuple(_steps(spec, known)), refusals=refusals, notes=notes)


def unredirected(hook: HookPlan, *, hosts: Iterable[str]) -> tuple[str, ...]:
    """Tell by which ways a test goes round the redirection to the canary."""
    texts = tuple(_texts(hook.manifest))
    variables = sorted({found for text in texts for found in _SERVICE_VARIABLE.findall(text)})
    through = sorted({host for host in hosts if any(_names(text, host) for text in texts)})
    return (
        *(f"reads {variable}, which is stable's address" for variable in variables),
        *(f"goes through the route of {host}, which splits by weight" for host in through),
    )


def _headline(spec: GatewayCanarySpec, name: str, target: Target | None) -> str:
    if target is not None:
        images = f"{target.image} -> {spec.desired_image(target.image)}"
    else:
        images = f"-> {spec.image or f'tag {spec.image_tag}'}"
    route = f"{spec.traffic.provider_name} route {spec.traffic.route_name}"
    return f"GatewayCanary {name}: Deployment {spec.target_ref.name} {images}, by {route}"


def _steps(spec: GatewayCanarySpec, known: Surroundings) -> Iterator[str]:
    deployment = canary_name(spec.target_ref.name)
    if spec.suspend:
        yield "wait: suspended, nothing starts before spec.suspend is false"
    yield (
        f"prepare: create Deployment {deployment} and Service {spec.resolved_canary_service}; "
        "no traffic yet"
    )
    tests = tuple(_suite(spec, index, known) for index in range(len(spec.tests)))
    for step in spec.steps:
        yield _step(spec, step, known.target, tests)
    yield _promotion(spec)
    yield (
        f"finish: all traffic on {spec.resolved_stable_service}, wait "
        f"{format_duration(spec.canary.scale_down_delay)}, delete the canary's objects"
    )


def _step(
    spec: GatewayCanarySpec, step: Step, target: Target | None, tests: tuple[str, ...]
) -> str:
    gates = [
        _capacity(spec, step, target),
        f"settle {format_duration(spec.traffic.settle)}",
        *tests,
    ]
    if step.hold is not None:
        gates.append(f"hold {format_duration(step.hold)}")
    if step.approval:
        gates.append("a person's approval")
    return f"{step.weight} %: {', '.join(gates)}"


def _capacity(spec: GatewayCanarySpec, step: Step, target: Target | None) -> str:
    if target is None and not isinstance(spec.canary.replicas, int):
        return f"{spec.canary.replicas} canary pods"
    replicas = target.replicas if target is not None else 0
    needed = readiness.need(spec, weight=step.weight, baseline=replicas)
    return f"{needed} ready canary pod{'s' * (needed != 1)}"


def _suite(spec: GatewayCanarySpec, index: int, known: Surroundings) -> str:
    suite = spec.tests[index]
    hooks = known.hooks[index] if index < len(known.hooks) else ()
    named = f" ({', '.join(hook.name for hook in hooks)})" if hooks else ""
    attempts = f", {suite.attempts} attempts" if suite.attempts > 1 else ""
    return (
        f"tests of release {suite.helm.release}{named} against {suite.target} "
        f"within {format_duration(suite.timeout)}{attempts}"
    )


def _promotion(spec: GatewayCanarySpec) -> str:
    target = spec.target_ref.name
    if spec.promotion.mode == "Handover":
        return f"hand over: wait until somebody else gives Deployment {target} the image"
    return f"promote: give Deployment {target} the image and wait until all its pods are ready"


def _notes(spec: GatewayCanarySpec, known: Surroundings) -> Iterator[str]:
    if not spec.tests:
        yield "no tests are named: only the canary's pods being ready gates the steps"
    for suite, hooks in zip(spec.tests, known.hooks, strict=False):
        if suite.target != "canary":
            continue
        for hook in hooks:
            for way in unredirected(hook, hosts=known.hosts):
                yield f"test {hook.name} is not aimed at the canary: it {way}"
    steps, settle = len(spec.steps), spec.traffic.settle
    holds = sum((step.hold or timedelta() for step in spec.steps), timedelta())
    yield (
        f"takes at least {format_duration(settle * steps + holds + spec.canary.scale_down_delay)} "
        "without tests and pod starts"
    )


def _told(problem: Problem) -> str:
    return f"{problem.reason}: {problem.sentence()}"


def _section(title: str, entries: tuple[str, ...]) -> tuple[str, ...]:
    return ("", title, *(f"  - {entry}" for entry in entries)) if entries else ()


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value)


def _names(text: str, host: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", text) is not None
