"""Requests that are repeated while nobody answers."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import TypeVar

from proving.api import RefusedError

T = TypeVar("T")

_AGAIN = 0.3


def insist(action: Callable[[], T], *, seconds: float = 120.0) -> T:
    """Do something until the API server answers it; raise what it said last when time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return action()
        except (OSError, http.client.HTTPException, RefusedError) as error:
            final = isinstance(error, RefusedError) and error.status < 429
            if final or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN)
