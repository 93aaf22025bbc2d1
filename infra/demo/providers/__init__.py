"""One module for each way of splitting traffic that the demo can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from demo.providers import nginx
from proving.histories import Record


class Provider(Protocol):
    """What the demo must know of a way of splitting traffic."""

    name: str

    def traffic(self) -> dict[str, Any]:
        """Give the spec's traffic field, settle time left out."""
        ...

    def weights(self, records: Sequence[Record]) -> list[tuple[float, int]]:
        """Give each change of the route's weight, with the time it was seen stored."""
        ...


PROVIDERS: dict[str, Provider] = {each.name: each for each in (nginx.Nginx(),)}
