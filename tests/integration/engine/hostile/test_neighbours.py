"""Odd objects beside a canary: told by name and place, or of no matter; never a crash."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from devcluster.waiting import wait_until
from integration.engine.conftest import Start
from integration.engine.hostile import scenes
from integration.engine.hostile.neighbours import BUILT_IN, MESHES, ROUTES, Case
from integration.engine.hostile.watching import peak, unharmed
from integration.engine.test_provider_installed import GATEWAY_API, ISTIO, Absent, installed
from proving.api import Api

pytestmark = pytest.mark.apiserver

BOUND = 60
"""MiB by which the operator may grow."""


def prepare(server: Api, namespace: str, case: Case) -> None:
    """Make the namespace as odd as the case asks."""
    for resource, name, change in case.changes:
        server.merge(resource, name, dict(change), namespace)
    for resource, extra in case.extras:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **extra}
        server.create(resource, body, namespace)


def carried(server: Api, namespace: str) -> bool:
    """Tell whether the route carries the canary's weight."""
    return scenes.status(server, namespace).get("weight") == 100


def missing(server: Api, namespace: str, case: Case) -> str:
    """Say what the answer lacks."""
    status = scenes.status(server, namespace)
    message = str(status.get("message"))
    if not case.told:
        well = carried(server, namespace)
    else:
        well = all(word in message for word in case.told)
    return "" if well else f"{case.name}: {status.get('phase')}: {message[:500]!r}"


def judge(server: Api, start: Start, cases: Sequence[Case]) -> None:
    """Run all cases side by side, with one canary beside them that is as it should be."""
    with ExitStack() as places:
        namespaces = {case.name: places.enter_context(scenes.place(server)) for case in cases}
        healthy = places.enter_context(scenes.place(server))
        for case in cases:
            prepare(server, namespaces[case.name], case)
        # NB: started now, it has seen all of them before it looks at the first canary.
        replica = start("--no-leader-elect")
        replica.await_leading()
        before = peak(replica)
        for case in cases:
            scenes.canary(server, namespaces[case.name], {**scenes.SPEC, **case.spec})
        scenes.canary(server, healthy, scenes.SPEC)
        replica.await_that(lambda: carried(server, healthy), "the healthy one waits")
        left: list[str] = []

        def all_told() -> bool:
            found = (missing(server, namespaces[case.name], case) for case in cases)
            left[:] = filter(None, found)
            return not left

        wait_until(all_told, 30.0, interval=1.0)
        assert not left, "\n".join(left)
        unharmed(replica)
        assert peak(replica) - before < BOUND


def test_built_in_objects(server: Api, start: Start) -> None:
    """Ingresses, Services, Deployments, EndpointSlices and policies of odd shapes."""
    judge(server, start, BUILT_IN)


@pytest.mark.parametrize(
    ("absent", "cases"), [(ISTIO, MESHES), (GATEWAY_API, ROUTES)], ids=["istio", "gateway-api"]
)
def test_routes_of_people(server: Api, start: Start, absent: Absent, cases: Sequence[Case]) -> None:
    """VirtualServices and HTTPRoutes that their schema permits and nobody would write."""
    with installed(server, absent):
        assert wait_until(lambda: server.serves(absent.resource), 20.0)
        judge(server, start, cases)
