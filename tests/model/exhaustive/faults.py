"""The faults that may come in a state: of the operator, its requests, its watches, the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from model.exhaustive.abstract import WATCHED, Edge, Model
from model.exhaustive.changes import By, Change
from model.exhaustive.nodes import NONE, Kind, Late, Move, Node, happens


def edges(model: Model, node: Node) -> Iterator[Edge]:
    """Give every fault that may come next."""
    for move, follow in _faults(model, node):
        yield move._replace(fault=True), follow


def _faults(model: Model, node: Node) -> Iterator[Edge]:
    for change in model.changes.of(node.truth, By.FAULT):
        yield happens(change.words), partial(model.changed, node, change)
    if node.under != NONE:
        yield from _while_looking(model, node)
        return
    if node.memory != model.fresh or node.view != node.truth:
        yield Move(Kind.CRASH), partial(_restarted, model, node)
    if node.due:
        return
    yield from _stale(model, node)
    held_up = node.look != NONE and node.late == NONE
    if held_up and model.changes.of(node.truth, By.ITSELF):
        yield happens(f"nothing moves for {node.look} s"), partial(_held_up, model, node)


def _while_looking(model: Model, node: Node) -> Iterator[Edge]:
    under = model.unders[node.under]
    yield Move(Kind.CRASH, under=under), partial(_restarted, model, node)
    if node.late != NONE:
        return
    yield Move(Kind.LOST, under=under), partial(model.failed, node, under)
    late = model.lates.number(Late(under, node.memory, node.view))
    deposed = node._replace(late=late)
    yield Move(Kind.DEPOSED, under=under), partial(_restarted, model, deposed)
    if under.at and under.at - 1 not in under.failed:
        last = under._replace(at=under.at - 1)
        yield Move(Kind.REPEAT, under=last), partial(model.operated, node, last)


def _restarted(model: Model, node: Node) -> Node:
    return model.tidy(
        node._replace(view=node.truth, under=NONE, due=True, look=NONE, memory=model.fresh)
    )


def _held_up(model: Model, node: Node) -> Node:
    later = model.later(node)
    return later._replace(facts=model.judge.disturbed(later.facts))


def _stale(model: Model, node: Node) -> Iterator[Edge]:
    """Let one watch lag behind the next thing that happens by itself, or by leave."""
    for by in (By.ITSELF, By.LEAVE):
        for change in model.changes.of(node.truth, by):
            before, after = model.store[node.truth], model.store[change.truth]
            for name in WATCHED:
                if getattr(before, name) != getattr(after, name):
                    words = f"{change.words}, which the watch of {name} does not tell yet"
                    yield happens(words), partial(_unseen, model, node, change, name)


def _unseen(model: Model, node: Node, change: Change, name: str) -> Node:
    seen = model.changed(node, change)
    unseen = {name: getattr(model.store[node.truth], name)}
    view = model.store.number(replace(model.store[seen.view], **unseen))
    return seen._replace(view=view)
