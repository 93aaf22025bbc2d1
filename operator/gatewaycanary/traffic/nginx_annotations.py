"""The annotations of ingress-nginx that shifting traffic depends on."""

from __future__ import annotations

from typing import Final

_PREFIX: Final = "nginx.ingress.kubernetes.io"

CANARY: Final = f"{_PREFIX}/canary"
WEIGHT: Final = f"{_PREFIX}/canary-weight"
WEIGHT_TOTAL: Final = f"{_PREFIX}/canary-weight-total"
AFFINITY: Final = f"{_PREFIX}/affinity"
AFFINITY_BEHAVIOR: Final = f"{_PREFIX}/affinity-canary-behavior"
PASSTHROUGH: Final = f"{_PREFIX}/ssl-passthrough"
CLASS: Final = "kubernetes.io/ingress.class"
"""The class as it was written before ``spec.ingressClassName``."""

INHERITED: Final = (
    f"{_PREFIX}/load-balance",
    f"{_PREFIX}/upstream-hash-by",
    f"{_PREFIX}/upstream-hash-by-subset",
    f"{_PREFIX}/upstream-hash-by-subset-size",
    f"{_PREFIX}/service-upstream",
)
"""Annotations that belong to an upstream: ingress-nginx reads the canary Ingress's own."""

TRUE: Final = "true"
LEGACY: Final = "legacy"
"""Keeps clients that hold stable's cookie on stable, and no client on the canary."""

_PARSED_AS_TRUE: Final = frozenset({"1", "t", "true"})


def is_true(value: str | None) -> bool:
    """Tell whether any router takes the annotation's value for true."""
    return value is not None and value.casefold() in _PARSED_AS_TRUE
