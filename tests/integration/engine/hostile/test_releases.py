"""Releases that would harm: each is told in its canary's status, and the operator goes on."""

from __future__ import annotations

import base64
import random
from contextlib import ExitStack

import pytest

from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import SECRET
from integration.engine.conftest import Start
from integration.engine.hostile import scenes
from integration.engine.hostile.releases import FAILING, REFUSED, UNREADABLE, YAML, Case
from integration.engine.hostile.watching import peak, unharmed
from proving.api import Api
from unit.helmtests.objects import secret, stored_hook

pytestmark = pytest.mark.apiserver

BOUND = 200
"""MiB by which the operator may grow at most while it reads all of them."""

REVISIONS = 40
"""Each of a mebibyte, nearly."""


def missing(server: Api, namespace: str, case: Case) -> str:
    """Say what the status lacks."""
    status = scenes.status(server, namespace)
    shown = f"{case.name}: {status.get('phase')}: {status.get('message')!r} {status.get('failure')}"
    failure = status.get("failure") or {}
    said = f"{status.get('message')} {failure.get('message')} {failure.get('test')}"
    told = all(word in said for word in case.told)
    wanted = ("RollingBack", "Finalizing", "Failed") if case.failed else ("Pending", "Invalid")
    return "" if told and status.get("phase") in wanted else shown


def test_each_is_told_and_none_does_harm(server: Api, start: Start) -> None:
    """The object and the field are in the message, memory is bounded, a neighbour goes on."""
    replica = start("--no-leader-elect")
    replica.await_leading()
    before = peak(replica)
    cases = (*UNREADABLE, *YAML, *REFUSED, *FAILING)
    with ExitStack() as places:
        namespaces = {case.name: places.enter_context(scenes.place(server)) for case in cases}
        healthy = places.enter_context(scenes.place(server))
        for case in cases:
            for one in case.secrets:
                server.create(SECRET, one, namespaces[case.name])
            scenes.canary(server, namespaces[case.name], scenes.TESTED)
        scenes.canary(server, healthy, scenes.SPEC)
        replica.await_that(lambda: scenes.weight(server, healthy) == "100", "the healthy one waits")
        left: list[str] = []

        def all_told() -> bool:
            found = (missing(server, namespaces[case.name], case) for case in cases)
            left[:] = filter(None, found)
            return not left

        wait_until(all_told, 45.0, interval=1.0)
        assert not left, "\n".join(left)
        unharmed(replica)
        assert peak(replica) - before < BOUND


def test_of_many_revisions_one_is_read(server: Api, start: Start) -> None:
    """A history without end, as `--history-max 0` keeps it, costs what its newest one costs."""
    replica = start("--no-leader-elect")
    replica.await_leading()
    before = peak(replica)
    filler = base64.b64encode(random.Random(1).randbytes(600_000)).decode()
    with scenes.place(server) as namespace:
        for revision in range(1, REVISIONS):
            kept = secret(stored_hook(text=filler), revision=revision, status="superseded")
            server.create(SECRET, kept, namespace)
        newest = secret(stored_hook("Widget", "newest"), revision=REVISIONS)
        server.create(SECRET, newest, namespace)
        scenes.canary(server, namespace, scenes.TESTED)
        replica.await_that(
            lambda: "newest" in str(scenes.status(server, namespace).get("message")),
            "the newest revision is not read",
        )
        unharmed(replica)
        assert peak(replica) - before < REVISIONS / 2
