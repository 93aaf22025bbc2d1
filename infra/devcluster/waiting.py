"""Waiting for a condition of another process, with a deadline.

Most of what a cluster's start waits for (a port that answers, a node that is
Ready) sends no signal to an outsider, so it is asked for again and again, at
an interval that is short against what is waited for.
"""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout: float, *, interval: float = 0.1) -> bool:
    """Ask until the condition holds or `timeout` seconds have passed; tell which."""
    deadline = time.monotonic() + timeout
    while not condition():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(interval, left))
    return True
