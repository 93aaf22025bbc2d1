"""Is a measured share the wanted one? An exact answer with a known rate of false alarms.

Of n requests, k were answered by the canary. If each had gone there with the wanted probability,
k would follow the binomial distribution. The p-value is the probability of all outcomes that are
no likelier than the one seen (two-sided, by likelihood). With integers throughout there is no
rounding: with weight w of 100, an outcome's probability is C(n, k)·w^k·(100-w)^(n-k) / 100^n.

Several shares are judged in one run. By Bonferroni each gets an equal part of the allowance, so
that a run whose router is right fails with at most that probability, however the shares depend
on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

FALSE_ALARM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the requests sent at a weight the canary answered."""

    weight: int
    requests: int
    canary: int

    @property
    def percent(self) -> float:
        """Give the measured share in percent; 0 where nothing was measured."""
        return 100 * self.canary / self.requests if self.requests else 0.0

    @property
    def p_value(self) -> float:
        """Give the probability of an outcome at most as likely as this one."""
        return p_value(requests=self.requests, canary=self.canary, weight=self.weight)


def p_value(*, requests: int, canary: int, weight: int) -> float:
    """Compute the exact two-sided binomial p-value for a weight in percent."""
    others = 100 - weight
    terms = [comb(requests, k) * weight**k * others ** (requests - k) for k in range(requests + 1)]
    seen = terms[canary]
    return float(Fraction(sum(term for term in terms if term <= seen), 100**requests))


def suspicious(shares: Sequence[Share], false_alarm: float = FALSE_ALARM) -> list[Share]:
    """Give the shares that are off, or that nothing was measured for."""
    if not shares:
        return []
    limit = false_alarm / len(shares)
    return [share for share in shares if not share.requests or share.p_value < limit]
