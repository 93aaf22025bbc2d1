"""Objects drawn from the schema: each is refused in clear words, or kept whole and answered.

`make fuzz` sends 5,000; OBJECTS, SEED and FIRST choose how many and which.
"""

from __future__ import annotations

import os
import sys

import pytest

from gatewaycanary.kube.resources import INGRESS
from integration.engine.conftest import Start
from integration.engine.fuzz import runs
from integration.engine.fuzz.objects import draw
from integration.engine.hostile.scenes import ingress
from integration.engine.hostile.watching import unharmed
from integration.engine.test_provider_installed import gateway
from proving.api import Api

pytestmark = [pytest.mark.apiserver, pytest.mark.timeout(1200)]

OBJECTS = int(os.environ.get("OBJECTS") or 500)
FIRST = int(os.environ.get("FIRST") or 0)
SEED = int(os.environ.get("SEED") or 1)


def test_no_object_is_lost_or_taken_for_another(server: Api, start: Start) -> None:
    """Refused with the field, or stored as sent, read alike by both, and answered in status."""
    print(f"{OBJECTS} objects, SEED={SEED}", file=sys.stderr)
    drawn = (draw(SEED, number) for number in range(FIRST, FIRST + OBJECTS))
    replica = start("--no-leader-elect")
    replica.await_leading()
    with runs.spaces(server) as namespaces:
        for namespace in namespaces:
            gateway(server, namespace)
            server.create(INGRESS, ingress(), namespace)
        tally = runs.run(server, drawn, namespaces)
        unharmed(replica)
    assert not tally.findings, f"{len(tally.findings)} findings, SEED={SEED}:\n" + "\n".join(
        tally.findings[:20]
    )
    assert min(tally.counts["taken"], tally.counts["refused"]) >= OBJECTS // 10
