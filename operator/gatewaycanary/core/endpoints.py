"""How many pods stand behind a Service, from its EndpointSlices.

A pod shows up once an address family, and for a moment twice when slices are rebalanced, so pods
are counted and not addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from gatewaycanary.core.lookups import SLICE_LABEL
from gatewaycanary.core.writes import Object


def pods_behind(slices: Iterable[Object], service: str) -> set[str]:
    """Give the uids of all pods that stand behind the Service, ready or not."""
    return {
        str((endpoint.get("targetRef") or {}).get("uid", ""))
        for endpoint_slice in slices
        if _service_of(endpoint_slice) == service
        for endpoint in endpoint_slice.get("endpoints") or ()
    }


def ready_endpoints(
    slices: Iterable[Object], service: str, *, without: AbstractSet[str] = frozenset()
) -> int:
    """Count the endpoints of the Service that are ready and not on their way out.

    ``without``: uids of pods that do not count.
    """
    pods: set[tuple[str, str]] = set()
    addresses: dict[str, set[str]] = {}
    for endpoint_slice in slices:
        if _service_of(endpoint_slice) != service:
            continue
        for endpoint in _ready(endpoint_slice):
            target = endpoint.get("targetRef")
            if target and target.get("uid") in without:
                continue
            if target:
                pods.add((target.get("name", ""), target.get("uid", "")))
            else:
                family = endpoint_slice.get("addressType", "")
                addresses.setdefault(family, set()).add(endpoint["addresses"][0])
    return len(pods) + max((len(found) for found in addresses.values()), default=0)


def _service_of(endpoint_slice: Object) -> str:
    labels = endpoint_slice.get("metadata", {}).get("labels") or {}
    return str(labels.get(SLICE_LABEL, ""))


def _ready(endpoint_slice: Object) -> Iterator[Object]:
    for endpoint in endpoint_slice.get("endpoints") or ():
        conditions = endpoint.get("conditions") or {}
        # NB: an unset `ready` means unknown, and consumers are to take it for ready.
        if conditions.get("ready") is not False and not conditions.get("terminating"):
            yield endpoint
