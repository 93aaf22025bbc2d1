"""The states of the exhaustive model, and what they are made of."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

from model.observing import Memory
from model.pictures import RunKey

NONE = -1


class Node(NamedTuple):
    """One state; every part is the number of an interned value.

    ``truth``, ``view``: the cluster, and what the operator sees of it. ``under``: the look that is
    under way. ``late``: the request of a deposed leader that is still to arrive. ``look``: seconds
    until the operator looks again by itself. ``facts``: the little history that invariants need.
    ``budget``: faults that may still come.
    """

    truth: int
    view: int
    under: int = NONE
    late: int = NONE
    due: bool = True
    look: int = NONE
    memory: int = 0
    facts: int = 0
    budget: int = 0


class Under(NamedTuple):
    """A look under way: so many of its effects are done, these of them failed."""

    plan: int
    at: int
    failed: tuple[int, ...] = ()


class Late(NamedTuple):
    """One effect of a deposed leader, with what that leader remembered and saw."""

    under: Under
    memory: int
    view: int


class Kept(NamedTuple):
    """What an operator remembers beside its caches."""

    loaded: bool = False
    log_tail: str = ""
    seen: frozenset[tuple[RunKey, int]] = frozenset()

    def remembered(self) -> Memory:
        """Give it as an operator has it at hand."""
        return Memory(loaded=self.loaded, log_tail=self.log_tail, seen=set(self.seen))


def kept(memory: Memory) -> Kept:
    """Keep what an operator remembers."""
    return Kept(memory.loaded, memory.log_tail, frozenset(memory.seen))


class Course(IntEnum):
    """How a rollout must end, if it must: nothing but our own faults has touched it so far."""

    GOOD = 0
    BAD = 1
    DISTURBED = 2


class Facts(NamedTuple):
    """The facts of ``model.ledgers.Ledger``, with ages instead of moments."""

    turned: frozenset[str] = frozenset()
    passed: frozenset[tuple[str, int, int]] = frozenset()
    revisions: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    carried: tuple[tuple[tuple[str, int], int], ...] = ()
    quiet: int | None = 60
    let_go: bool = False
    course: Course = Course.GOOD


class Kind(StrEnum):
    """What brings a state about."""

    HAPPENING = "something happens"
    LOOK = "the operator looks"
    EFFECT = "an effect is performed"
    CRASH = "the operator crashes"
    DEPOSED = "another leads"
    LATE = "a late request arrives"
    REPEAT = "an effect is performed again"
    LOST = "a request fails"


class Move(NamedTuple):
    """Why one state follows another. ``words``: of a happening; ``under``: of an effect."""

    kind: Kind
    words: str = ""
    under: Under | None = None
    fault: bool = False


def happens(words: str) -> Move:
    """Name a move that is no effect of the operator."""
    return Move(Kind.HAPPENING, words)
