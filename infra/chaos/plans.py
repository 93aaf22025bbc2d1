"""What is to happen to each run and to each ten of them: a pure function of seed and number.

Of every 200 runs the kinds of faults and the effects come in fixed numbers, and exactly half of
the images are bad; the seed shuffles them and draws the moments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from random import Random

from chaos.effects import LATE, ONLY_BAD, ONLY_GOOD, Effect

BATCH = 10
"""Runs side by side, which share an outage."""

CYCLE = 200
"""Runs after which the kinds of faults begin again."""

STEPS = (10, 50, 100)


class Fault(Enum):
    """What happens to one run alone; the value says it in words."""

    NONE = "nothing"
    KILLED = "the operator is killed at random moments"
    KILLED_AT = "the operator is killed at"
    STANDBY = "the leader of two operators is killed"
    TWINS = "two operators work at once, without election, and one is killed"
    PAUSED = "the leader of two operators is stopped past its lease, then woken"
    EVICTED = "test pods are evicted"
    RENEWED = "another image is asked for in the middle"


class Outage(Enum):
    """What happens to all runs of a batch; the value says it in words."""

    NONE = "nothing"
    API = "the API server is down"
    ETCD = "etcd is down"
    KUBELET = "the kubelet is down"
    GATEWAY = "the data plane is killed and started again"
    NODE = "the kubelet is down until the node is not ready"


class Image(Enum):
    """What is rolled out; the value is its tag."""

    GOOD = "2.0.0"
    BROKEN = "3.0.0"
    ERRING = "erring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One outage of the cluster: ``after`` seconds from the start of the rollouts, ``lasts`` s."""

    outage: Outage = Outage.NONE
    after: float = 0.0
    lasts: float = 0.0

    def __str__(self) -> str:
        if self.outage is Outage.NONE:
            return "nothing happens to the cluster"
        return f"after {self.after:.1f} s {self.outage.value}, for {self.lasts:.0f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that happens to one run.

    ``effect`` and ``before`` say where the operator is killed; ``moments`` are seconds from the
    start at which it is, or after which another fault strikes; ``breaks_at`` is the weight from
    which on the tests look; ``pair`` tells that a standby is there.
    """

    number: int
    provider: str
    image: Image
    breaks_at: int
    fault: Fault
    effect: Effect | None = None
    before: bool = False
    pair: bool = False
    moments: tuple[float, ...] = ()
    shared: Shared = Shared()

    @property
    def good(self) -> bool:
        """Tell whether the image is to be promoted."""
        return self.image is Image.GOOD

    @property
    def name(self) -> str:
        """Name the fault, with the effect if there is one."""
        if self.effect is None:
            return self.fault.name
        return f"{self.fault.name} {'before' if self.before else 'after'} {self.effect.name}"

    def __str__(self) -> str:
        quality = "good" if self.good else f"bad from {self.breaks_at} % on"
        what = self.fault.value
        if self.effect is not None:
            what += f" {'before' if self.before else 'after'} {self.effect.value}"
        if self.moments:
            what += " (" + ", ".join(f"{each:.1f}" for each in self.moments) + " s)"
        operators = "two operators" if self.pair else "one operator"
        return (
            f"run {self.number}: {self.provider}, {operators}, image {self.image.value} "
            f"({quality}); {what}; {self.shared}"
        )


_OTHERS = {
    Fault.KILLED: 18,
    Fault.STANDBY: 12,
    Fault.TWINS: 16,
    Fault.PAUSED: 16,
    Fault.EVICTED: 12,
    Fault.RENEWED: 12,
    Fault.NONE: 12,
}
_TIMES = 3
"""How often the operator is killed on each side of each effect in a cycle."""

_OUTAGES = (
    *((Outage.API, False),) * 4,
    (Outage.API, True),
    *((Outage.ETCD, False),) * 4,
    (Outage.ETCD, True),
    *((Outage.KUBELET, False),) * 3,
    *((Outage.GATEWAY, False),) * 3,
    *((Outage.NODE, False),) * 2,
    *((Outage.NONE, False),) * 2,
)
_PAIRED = frozenset({Fault.STANDBY, Fault.TWINS, Fault.PAUSED})


def plan(seed: int, number: int) -> Plan:
    """Draw the plan of a run."""
    cycle, place = divmod(number, CYCLE)
    base = _deck(seed, cycle)[place]
    dice = Random(f"{seed} run {number}")
    pair = base.fault in _PAIRED or (base.fault is Fault.KILLED_AT and dice.random() < 0.25)
    return replace(
        base,
        number=number,
        provider="istio" if dice.random() < 0.2 else "nginx",
        pair=pair,
        moments=_moments(base.fault, dice),
        shared=shared(seed, number // BATCH),
    )


def shared(seed: int, batch: int) -> Shared:
    """Draw the outage of a batch."""
    cycle, place = divmod(batch, CYCLE // BATCH)
    outages = list(_OUTAGES)
    Random(f"{seed} outages {cycle}").shuffle(outages)
    outage, long = outages[place]
    dice = Random(f"{seed} batch {batch}")
    after, lasts = dice.uniform(2.0, 14.0), dice.uniform(5.0, 20.0)
    if outage is Outage.NODE:
        lasts = 45.0
    if outage is Outage.GATEWAY:
        lasts = dice.uniform(0.0, 3.0)
    return Shared(outage=outage, after=after, lasts=60.0 if long else lasts)


@cache
def _deck(seed: int, cycle: int) -> tuple[Plan, ...]:
    """Give the shuffled kinds of a cycle's runs, half of them good."""
    bare = Plan(number=0, provider="", image=Image.GOOD, breaks_at=0, fault=Fault.NONE)
    cards = [
        replace(bare, fault=Fault.KILLED_AT, effect=effect, before=before)
        for effect in Effect
        for before in (True, False)
        for _ in range(_TIMES)
    ]
    for fault, times in _OTHERS.items():
        cards += [replace(bare, fault=fault)] * times
    dice = Random(f"{seed} deck {cycle}")
    dice.shuffle(cards)
    free = [each for each, card in enumerate(cards) if card.effect not in ONLY_GOOD | ONLY_BAD]
    wanted = len(cards) // 2 - sum(card.effect in ONLY_BAD for card in cards)
    bad = set(dice.sample(free, wanted))
    return tuple(
        _spoiled(card, dice) if place in bad or card.effect in ONLY_BAD else card
        for place, card in enumerate(cards)
    )


def _spoiled(card: Plan, dice: Random) -> Plan:
    late = card.effect in LATE
    breaks_at = dice.choice(STEPS[1:] if late else STEPS)
    image = Image.ERRING if dice.random() < 0.25 and not late else Image.BROKEN
    return replace(card, image=image, breaks_at=breaks_at)


def _moments(fault: Fault, dice: Random) -> tuple[float, ...]:
    if fault is Fault.KILLED:
        return tuple(sorted(dice.uniform(0.3, 20.0) for _ in range(dice.randint(1, 3))))
    if fault in {Fault.STANDBY, Fault.TWINS, Fault.PAUSED, Fault.RENEWED}:
        return (dice.uniform(0.3, 12.0),)
    return ()
