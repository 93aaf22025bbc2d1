"""Seeded random walks: more faults at once than can be explored exhaustively.

A walk is named by its scene, the seed and its number, and goes the same way every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from time import process_time
from typing import Final

from model.exhaustive.abstract import Edge, Model
from model.exhaustive.exploring import Finding, moves_of, wrong_rest
from model.exhaustive.histories import Breach
from model.exhaustive.nodes import Move, Node

FAULTS: Final = 8
"""Faults a walk may meet."""

EAGERNESS: Final = (0.02, 0.05, 0.15)
"""How often a fault comes where one may come: a walk has one of these."""

LONGEST: Final = 3000
"""Moves after which a walk should long have come to rest."""


@dataclass(slots=True)
class Walks:
    """What the walks of one scene came to. ``moves``: of all walks. ``states``: different ones."""

    model: Model
    walks: int = 0
    moves: int = 0
    states: int = 0
    faults: int = 0
    seconds: float = 0.0
    finding: Finding | None = None


def walk(model: Model, *, seed: int, walks: range) -> Walks:
    """Go so many walks, until one of them finds something."""
    told, begun, seen = Walks(model), process_time(), set[Node]()
    for number in walks:
        told.walks += 1
        told.finding = _one(told, Random(f"{seed}/{number}"), seen)
        if told.finding is not None:
            break
    told.states = len(seen)
    told.seconds = process_time() - begun
    return told


def _one(told: Walks, chance: Random, seen: set[Node]) -> Finding | None:
    node, path = told.model.start(), list[tuple[Node, Move]]()
    eagerness = chance.choice(EAGERNESS)
    while len(path) < LONGEST:
        seen.add(node)
        wrong = wrong_rest(told.model, node)
        if wrong:
            return Finding(wrong, tuple(path), node)
        edge = _chosen(chance, eagerness, list(moves_of(told.model, node)))
        if edge is None:
            return None
        move, follow = edge
        path.append((node, move))
        told.moves += 1
        told.faults += move.fault
        try:
            following = follow()
        except Breach as breach:
            return Finding(str(breach), tuple(path), None)
        node = following._replace(budget=node.budget - 1) if move.fault else following
    return Finding(f"walk_ends: no rest after {LONGEST} moves", tuple(path), node)


def _chosen(chance: Random, eagerness: float, edges: list[Edge]) -> Edge | None:
    faults = [edge for edge in edges if edge[0].fault]
    free = [edge for edge in edges if not edge[0].fault]
    if faults and (not free or chance.random() < eagerness):
        return chance.choice(faults)
    return chance.choice(free) if free else None
