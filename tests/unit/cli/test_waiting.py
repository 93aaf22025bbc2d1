"""Following one GatewayCanary by a watch: every change judged once, and told once."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from gatewaycanary.api.status import Phase
from gatewaycanary.cli import waiting
from gatewaycanary.cli.connecting import Reach
from gatewaycanary.cli.verdicts import Code
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import GoneError
from gatewaycanary.kube.resources import Object
from gatewaycanary.telemetry import logs

NAME, SPACE, IMAGE = "gateway", "shop", "app:2"


class Server(Client):
    """One GatewayCanary behind a list and a watch, as an API server tells them."""

    def __init__(self) -> None:
        self.stored: Object | None = None
        self.version = 10
        self.watched: asyncio.Queue[Object | Exception] = asyncio.Queue()
        self.watching = asyncio.Event()
        self.selectors: set[str | None] = set()

    def store(self, phase: Phase, **status: Any) -> None:
        """Store a status, silently: a list will show it."""
        self.version += 1
        told = {"observedGeneration": 1, "phase": phase, "canaryImage": IMAGE, **status}
        self.stored = {
            "metadata": {
                "namespace": SPACE,
                "name": NAME,
                "uid": "u1",
                "generation": 1,
                "resourceVersion": str(self.version),
            },
            "spec": {"image": IMAGE},
            "status": told,
        }

    def tell(self, kind: str) -> None:
        """Send a watch event about what is stored."""
        self.watched.put_nowait({"type": kind, "object": deepcopy(self.stored)})

    async def list(self, *_: Any, field_selector: str | None = None, **__: Any) -> Object:
        """Answer a list."""
        self.selectors.add(field_selector)
        items = [] if self.stored is None else [deepcopy(self.stored)]
        return {"metadata": {"resourceVersion": str(self.version)}, "items": items}

    async def watch(self, *_: Any, **__: Any) -> AsyncGenerator[Object, None]:
        """Answer a watch."""
        self.watching.set()
        while True:
            event = await self.watched.get()
            if isinstance(event, Exception):
                raise event
            yield event


@pytest.fixture
def server() -> Server:
    """Give a server that holds nothing."""
    return Server()


async def run(server: Server, said: list[str], image: str | None = None) -> tuple[Code, str]:
    """Follow to the end, and give the verdict."""
    reach = Reach(client=server, namespace=SPACE)
    async with asyncio.timeout(5):
        verdict = await waiting.follow(reach, NAME, image=image, say=said.append)
    return verdict.code, verdict.text


async def test_what_is_not_there_is_not_waited_for(server: Server) -> None:
    """A name without an object ends at once: CI has applied it before it waits."""
    code, text = await run(server, [])
    assert code is Code.NOT_OURS
    assert "there is no GatewayCanary gateway in namespace shop" in text


async def test_what_has_ended_is_told_at_once(server: Server) -> None:
    """A rollout that is over needs no further event."""
    server.store(Phase.SUCCEEDED, message="app:2 is promoted")
    said: list[str] = []
    assert await run(server, said) == (Code.DONE, "promoted: app:2 is promoted")
    assert len(said) == 1
    assert server.selectors == {"metadata.name=gateway"}


async def test_each_transition_is_one_line(server: Server) -> None:
    """A change that says nothing new prints nothing, and the end comes last."""
    server.store(Phase.SHIFTING, weight=5)
    said: list[str] = []
    following = asyncio.create_task(run(server, said))
    await server.watching.wait()
    for phase in (Phase.TESTING, Phase.TESTING, Phase.FAILED):
        server.store(phase, weight=0 if phase is Phase.FAILED else 5)
        server.tell("MODIFIED")
    code, _ = await following
    assert code is Code.ROLLED_BACK
    assert [line.split()[0] for line in said] == ["Shifting", "Testing", "Failed"]


async def test_a_deletion_during_a_gap_in_the_watch_is_seen(server: Server) -> None:
    """What vanished while the watch was broken is found by the next list."""
    server.store(Phase.SHIFTING)
    following = asyncio.create_task(run(server, []))
    await server.watching.wait()
    server.stored = None
    server.version += 1
    server.watched.put_nowait(GoneError(410))
    code, text = await following
    assert (code, text) == (Code.NOT_OURS, "the GatewayCanary was deleted")


async def test_another_image_is_refused_before_any_wait(server: Server) -> None:
    """`--image` is compared with what the object asks for at the start."""
    server.store(Phase.SUCCEEDED)
    code, _ = await run(server, [], image="app:3")
    assert code is Code.NOT_OURS


def test_the_time_out_has_its_own_code(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the time is over the exit code is 3 and the last state is told."""
    server.store(Phase.AWAITING_APPROVAL, message="approve with x")

    @asynccontextmanager
    async def reached(_: argparse.Namespace) -> AsyncIterator[Reach]:
        yield Reach(client=server, namespace=SPACE)

    monkeypatch.setattr(waiting, "reached", reached)
    monkeypatch.setattr(logs, "configure", lambda **_: None)
    arguments = argparse.Namespace(name=NAME, image=None, timeout=timedelta(milliseconds=50))
    assert waiting.wait(arguments) == Code.TIMED_OUT
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == ["AwaitingApproval                 approve with x"]
    assert last.startswith("not ended after 50ms: AwaitingApproval")
