"""Traffic by the canary annotations of ingress-nginx, which Traefik honours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proving import timelines
from proving.histories import Record


class Nginx:
    """Show the canary Ingress."""

    name = "nginx"

    def traffic(self) -> dict[str, Any]:
        """Name the Ingress of the demo's chart."""
        return {"nginx": {"ingress": "gateway"}}

    def weights(self, records: Sequence[Record]) -> list[tuple[float, int]]:
        """Read the weights that the canary Ingress carried."""
        return [(shift.record.at, shift.after) for shift in timelines.shifts(records)]
