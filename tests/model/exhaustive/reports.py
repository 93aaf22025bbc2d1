"""What an exploration or a series of walks came to, as plain values for other processes."""

from __future__ import annotations

import gc
from dataclasses import dataclass

from model.exhaustive import telling, walking
from model.exhaustive.abstract import Model
from model.exhaustive.exploring import Finding, explore
from model.exhaustive.scenes import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How it went. ``seconds``: of CPU. ``rule``, ``lines``: of what was found, if anything was."""

    scene: str
    faults: int
    walks: int = 0
    states: int
    edges: int
    resting: int = 0
    seconds: float
    rule: str = ""
    lines: tuple[str, ...] = ()


def explored(scene: Scene) -> Report:
    """Explore a scene."""
    # NB: nothing here is ever garbage, and looking for it would take a third of the time.
    gc.disable()
    model = Model(scene)
    graph = explore(model)
    return Report(
        scene=scene.name,
        faults=scene.faults,
        states=len(graph.nodes),
        edges=graph.edges,
        resting=len(graph.resting),
        seconds=graph.seconds,
        rule=graph.finding.rule if graph.finding else "",
        lines=_lines(model, graph.finding),
    )


def walked(scene: Scene, seed: int, walks: range) -> Report:
    """Walk through a scene."""
    gc.disable()
    model = Model(scene.with_faults(walking.FAULTS))
    told = walking.walk(model, seed=seed, walks=walks)
    lines = _lines(model, told.finding)
    if lines:
        number = walks[told.walks - 1]
        lines = (f"Walk {number} of seed {seed} through {scene.name!r}:", *lines)
    return Report(
        scene=scene.name,
        faults=walking.FAULTS,
        walks=told.walks,
        states=told.states,
        edges=told.moves,
        seconds=told.seconds,
        rule=told.finding.rule if told.finding else "",
        lines=lines,
    )


def _lines(model: Model, finding: Finding | None) -> tuple[str, ...]:
    return tuple(telling.lines(model, finding)) if finding else ()
