"""Growing pauses between tries, with jitter: who failed together must not return together."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Give the pause before try n: `first` seconds doubled each time up to `limit`, less jitter."""

    first: float
    limit: float
    rng: Random

    def delay(self, tries: int) -> float:
        """Return the seconds to wait after `tries` failures in a row (one or more)."""
        # NB: the exponent is bounded, or a long outage would overflow the float.
        full = min(self.limit, self.first * 2.0 ** min(tries - 1, 64))
        return full * (0.5 + 0.5 * self.rng.random())
