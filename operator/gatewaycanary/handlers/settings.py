"""How kopf runs here: as a watcher only.

No peering (a Lease elects), no posted events (ours are deliberate), no scanning for new kinds (our
own reflector waits for the CRD), no handler that would store an annotation.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

import kopf

QUICK = (1.0, 2.0, 5.0, 10.0)
PATIENT = 30.0


class Patience:
    """Seconds between one try of a request and the next, without end.

    kopf gives up after the last pause and dies of an API server that is out of order for longer;
    the operator would then wait in a crash loop while the server is back.
    """

    def __iter__(self) -> Iterator[float]:
        return chain(QUICK, repeat(PATIENT))


def settings() -> kopf.OperatorSettings:
    """Give kopf's settings."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.scanning.disabled = True
    chosen.networking.error_backoffs = Patience()
    chosen.process.ultimate_exiting_timeout = None
    chosen.queueing.idle_timeout = 0.1
    chosen.queueing.exit_timeout = 0.1
    return chosen
