"""How long hypothesis searches: bounded and the same every time in CI, long and random on demand.

The fast profile does not shrink what it finds: its example is repeated by the blob it prints.
``HYPOTHESIS_PROFILE=thorough`` searches at random; what it finds is printed as a blob with which
``@reproduce_failure`` repeats it.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

FAST: Final = "fast"
THOROUGH: Final = "thorough"
_SLOW: Final = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile(
    FAST,
    max_examples=100,
    stateful_step_count=40,
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW,
)
settings.register_profile(
    THOROUGH,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "4000")),
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
)


def chosen() -> str:
    """Give the profile that the environment names."""
    return os.environ.get("HYPOTHESIS_PROFILE", FAST)


def load() -> None:
    """Take the profile that the environment names."""
    settings.load_profile(chosen())


def points(last: int, *, first: int = 1) -> range:
    """Give the points of a course to try: each one, or in the fast profile every fifth."""
    return range(1, last + 1) if chosen() == THOROUGH else range(first, last + 1, 5)
