"""How long after a route write the data plane's share changes: a change point, with its bounds.

Each answer tells only which side gave it. Before the data plane has the new weight, an answer is
the canary's with the old share, afterwards with the new one; both are known. So the moment of
change has a likelihood, for each gap between two answers:

    L(t) = product of P(side | old) over answers before t, times that of P(side | new) after t

Weighed by the length of the gaps (that is, with no opinion beforehand on when the change comes,
from the write to the end of what was measured) this is the distribution of that moment. Told are
its median and the bounds outside of which it lies with 1 % in all. The bounds are as wide as the
answers are few and the two shares alike: milliseconds at a change to 0 or 100 %, more between 5
and 10 %. Where the split is more regular than chance, as in round robin, they are too wide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, inf, log

from proving.streams import Answer

OUTSIDE = 0.01
"""The probability that the change came outside of the bounds."""

EARLY = 0.1
"""Seconds by which the data plane may have seen the write before our own watch has; told as 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """When the share changed, in seconds after the write: the median and the bounds."""

    median: float
    least: float
    most: float


def propagation(
    answers: Sequence[Answer], version: str, *, written: float, before: int, after: int
) -> Propagation | None:
    """Find when the share of a version changed from one weight to another.

    ``written`` is the monotonic time at which the write was seen. ``answers`` are those around it,
    taken at the time they began; None where they do not bear the change, for example because there
    are too few, or because it never came.
    """
    ordered = sorted(answers, key=lambda answer: answer.began)
    known = [(each.began, each.version == version) for each in ordered if each.version]
    if not known or before == after:
        return None
    gaps = list(_gaps([began for began, _ in known], start=written - EARLY))
    likelihoods = _likelihoods([ours for _, ours in known], before=before / 100, after=after / 100)
    greatest = max(likelihoods)
    if greatest == -inf:
        return None
    masses = [
        exp(likelihood - greatest) * (end - start)
        for likelihood, (start, end) in zip(likelihoods, gaps, strict=True)
    ]
    if not sum(masses):
        return None
    least, median, most = (
        max(_quantile(gaps, masses, probability) - written, 0.0)
        for probability in (OUTSIDE / 2, 0.5, 1 - OUTSIDE / 2)
    )
    return Propagation(median=median, least=least, most=most)


def _gaps(times: Sequence[float], *, start: float) -> Iterator[tuple[float, float]]:
    """Give the spans between answers, none of them before the start; the last one is empty."""
    later = [max(began, start) for began in times]
    return pairwise([start, *later, later[-1]])


def _likelihoods(sides: Sequence[bool], *, before: float, after: float) -> list[float]:
    """Give the logarithm of the likelihood for a change in front of each answer, and behind all."""
    old = accumulate((_chance(ours, before) for ours in sides), initial=0.0)
    new = list(accumulate((_chance(ours, after) for ours in reversed(sides)), initial=0.0))
    return [one + other for one, other in zip(old, reversed(new), strict=True)]


def _chance(ours: bool, share: float) -> float:
    probability = share if ours else 1 - share
    return log(probability) if probability > 0 else -inf


def _quantile(
    gaps: Sequence[tuple[float, float]], masses: Sequence[float], probability: float
) -> float:
    wanted = probability * sum(masses)
    for (start, end), mass in zip(gaps, masses, strict=True):
        if mass >= wanted and mass > 0:
            return start + (end - start) * wanted / mass
        wanted -= mass
    return gaps[-1][1]
