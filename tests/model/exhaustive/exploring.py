"""Breadth-first over all states, and back from where a canary may rest."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from time import process_time

from model.exhaustive import faults
from model.exhaustive.abstract import Edge, Model
from model.exhaustive.histories import Breach
from model.exhaustive.nodes import Move, Node, happens

BEGINNING = happens("the beginning")
NO_WAY_BACK = "rest_can_be_reached: whatever comes next, it never comes to rest"


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not hold, and the shortest way there: moves, each with the state before it.

    ``rule``: the name of the rule, which ``told`` begins with.
    """

    told: str
    path: tuple[tuple[Node, Move], ...]
    last: Node | None

    @property
    def rule(self) -> str:
        """Name the rule."""
        return self.told.split(":")[0]


@dataclass(slots=True)
class Graph:
    """Everything that was reached; ``sources`` and ``targets`` are the edges without a fault."""

    model: Model
    numbers: dict[Node, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("i"))
    moves: list[Move] = field(default_factory=list)
    sources: array[int] = field(default_factory=lambda: array("i"))
    targets: array[int] = field(default_factory=lambda: array("i"))
    edges: int = 0
    resting: list[int] = field(default_factory=list)
    seconds: float = 0.0
    finding: Finding | None = None

    def path(self, number: int) -> tuple[tuple[Node, Move], ...]:
        """Give the shortest way to a state."""
        moves: list[tuple[Node, Move]] = []
        while self.parents[number] >= 0:
            parent = self.parents[number]
            moves.append((self.nodes[parent], self.moves[number]))
            number = parent
        return tuple(reversed(moves))


def explore(model: Model) -> Graph:
    """Explore breadth-first until nothing is new, or something does not hold."""
    graph, begun = Graph(model), process_time()
    _reach(graph, model.start(), -1, BEGINNING)
    waiting = deque([0])
    while waiting and graph.finding is None:
        _expand(graph, waiting.popleft(), waiting)
    if graph.finding is None:
        graph.finding = next(_lost(graph), None)
    graph.seconds = process_time() - begun
    return graph


def moves_of(model: Model, node: Node) -> Iterator[Edge]:
    """Give every move that may come next, with a fault only where one may still come."""
    if node.budget:
        return chain(model.edges(node), faults.edges(model, node))
    return model.edges(node)


def wrong_rest(model: Model, node: Node) -> str:
    """Give what is wrong where nothing happens any more; nothing elsewhere."""
    if not model.is_still(node):
        return ""
    wrong = model.wrong_rest(node)
    return f"a_place_to_rest: {'; '.join(wrong)}" if wrong else ""


def _reach(graph: Graph, node: Node, parent: int, move: Move) -> int:
    number = graph.numbers[node] = len(graph.nodes)
    graph.nodes.append(node)
    graph.parents.append(parent)
    graph.moves.append(move)
    return number


def _expand(graph: Graph, number: int, waiting: deque[int]) -> None:
    node = graph.nodes[number]
    if graph.model.is_still(node):
        _rest(graph, number, node)
    for move, follow in moves_of(graph.model, node):
        try:
            following = follow()
        except Breach as breach:
            path = (*graph.path(number), (node, move))
            graph.finding = Finding(str(breach), path, None)
            return
        if move.fault:
            following = following._replace(budget=node.budget - 1)
        found = graph.numbers.get(following)
        if found is None:
            found = _reach(graph, following, number, move)
            waiting.append(found)
        graph.edges += 1
        if not move.fault:
            graph.sources.append(number)
            graph.targets.append(found)


def _rest(graph: Graph, number: int, node: Node) -> None:
    wrong = wrong_rest(graph.model, node)
    if wrong:
        graph.finding = Finding(wrong, graph.path(number), node)
    else:
        graph.resting.append(number)


def _lost(graph: Graph) -> Iterator[Finding]:
    """Find the first state from which no fault-free way leads to a resting one."""
    reached = _reaching_rest(graph)
    for number, there in enumerate(reached):
        if not there:
            yield Finding(NO_WAY_BACK, graph.path(number), graph.nodes[number])


def _reaching_rest(graph: Graph) -> bytearray:
    before: list[list[int]] = [[] for _ in graph.nodes]
    for source, target in zip(graph.sources, graph.targets, strict=True):
        before[target].append(source)
    reached = bytearray(len(graph.nodes))
    waiting = deque(graph.resting)
    for number in graph.resting:
        reached[number] = 1
    while waiting:
        for source in before[waiting.popleft()]:
            if not reached[source]:
                reached[source] = 1
                waiting.append(source)
    return reached
