"""How kopf runs here: as a watcher only.

No peering (a Lease elects), no posted events (ours are deliberate), no scanning for new kinds (our
own reflector waits for the CRD), no handler that would store an annotation.
"""

from __future__ import annotations

import kopf


def settings() -> kopf.OperatorSettings:
    """Give kopf's settings."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.scanning.disabled = True
    chosen.process.ultimate_exiting_timeout = None
    chosen.queueing.idle_timeout = 0.1
    chosen.queueing.exit_timeout = 0.1
    return chosen
