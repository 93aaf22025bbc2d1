"""Statuses are stored by compare-and-set, events told once, and what cannot be read is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gatewaycanary.api.status import Phase, Stage, State, Status, parse_status
from gatewaycanary.core.decision import Decision, Event
from gatewaycanary.core.observation import Observation
from gatewaycanary.engine.memory import Recollection
from gatewaycanary.engine.observe import Observed
from gatewaycanary.engine.parsing import UnreadableStatusError, read
from gatewaycanary.engine.record import Recorder
from gatewaycanary.engine.surroundings import Surroundings
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import ConflictError, FencedError, NotFoundError
from gatewaycanary.kube.resources import Object
from gatewaycanary.telemetry.metrics import Metrics
from unit.core.objects import NAMESPACE, UID, canary
from unit.engine.fakes import FakeApi, caches, forbidden, hold

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = (NAMESPACE, "web")
TOLD = Event(reason="RolloutStarted", message="Rolling out")
NEW = Status(
    phase=Phase.PREPARING,
    message="Rolling out",
    state=State(stage=Stage.PREPARING, ordinal=1, revision="r-1"),
)


class Setting:
    """A recorder on an API in memory that holds one canary."""

    def __init__(self, status: dict[str, Any] | None = None) -> None:
        self.api = FakeApi()
        self.caches = caches(self.api)
        self.metrics = Metrics()
        self.recorder = Recorder(
            client=Client(self.api),
            caches=self.caches,
            metrics=self.metrics,
            clock=lambda: NOW,
            instance="me",
        )
        hold(self.api, self.caches, {**canary(), "status": status or {}})

    def raw(self) -> Object:
        """Read what the caches hold."""
        found = self.caches.get("GatewayCanary", *KEY)
        assert found is not None
        return found

    def look(self) -> Observed:
        """Observe the canary, as far as recording needs it."""
        raw = self.raw()
        parsed = read(raw)
        observation = Observation(now=NOW, meta=parsed.meta, spec=parsed.spec, status=parsed.status)
        return Observed(
            key=KEY,
            observation=observation,
            raw=raw,
            recollection=Recollection(uid=UID),
            around=Surroundings(),
        )

    def stored(self) -> Status:
        """Read the status that the server holds."""
        return parse_status(self.api.objects["GatewayCanary", *KEY]["status"])

    def events(self) -> list[Object]:
        """Give the events that were posted."""
        return [obj for (kind, _, _), obj in self.api.objects.items() if kind == "Event"]

    def phase(self, phase: str) -> float | None:
        """Give the series of a phase."""
        labels = {"namespace": NAMESPACE, "name": "web", "phase": phase}
        return self.metrics.registry.get_sample_value("gatewaycanary_phase", labels)


async def test_a_status_is_stored_and_read_at_once() -> None:
    """By the status subresource, over the version that was seen, and counted after that."""
    setting = Setting()
    assert await setting.recorder.record(setting.look(), Decision(status=NEW))
    assert setting.api.verbs() == [("patch", "GatewayCanary/status")]
    assert setting.stored() == NEW == read(setting.raw()).status
    assert setting.phase("Preparing") == 1.0


async def test_an_equal_status_is_not_stored() -> None:
    """Idle costs no requests."""
    setting = Setting()
    await setting.recorder.record(setting.look(), Decision(status=NEW))
    assert not await setting.recorder.record(setting.look(), Decision(status=replace(NEW)))
    assert len(setting.api.calls) == 1


async def test_somebody_wrote_since() -> None:
    """Nothing is overwritten, counted or taken into the caches."""
    setting = Setting()
    seen = setting.look()
    setting.api.add(setting.api.objects["GatewayCanary", *KEY])
    with pytest.raises(ConflictError):
        await setting.recorder.record(seen, Decision(status=NEW))
    assert setting.stored() == Status()
    assert read(setting.raw()).status == Status()
    assert setting.phase("Preparing") is None


async def test_the_object_is_gone() -> None:
    """That is a conflict too: look again, and see it gone."""
    setting = Setting()
    seen = setting.look()
    setting.api.objects.clear()
    with pytest.raises(NotFoundError):
        await setting.recorder.record(seen, Decision(status=NEW))


async def test_an_event_is_told_once() -> None:
    """A repeat after a crash meets the same name, and is no second event."""
    setting = Setting()
    meta = setting.look().observation.meta
    for _ in range(2):
        await setting.recorder.tell(meta, NEW, [TOLD])
    (event,) = setting.events()
    assert (event["reason"], event["note"]) == ("RolloutStarted", "Rolling out")
    assert event["regarding"]["uid"] == UID


async def test_an_event_that_cannot_be_posted() -> None:
    """It holds up neither the others nor the rollout."""
    setting = Setting()
    meta = setting.look().observation.meta
    setting.api.fail("create", "Event", forbidden("the namespace is being terminated"))
    await setting.recorder.tell(meta, NEW, [TOLD, replace(TOLD, reason="Raising")])
    assert [event["reason"] for event in setting.events()] == ["Raising"]


async def test_no_event_without_the_lease() -> None:
    """Who has lost it goes, and says nothing more."""
    setting = Setting()
    setting.api.fail("create", "Event", FencedError("lost"))
    with pytest.raises(FencedError):
        await setting.recorder.tell(setting.look().observation.meta, NEW, [TOLD])


FLYING = {"phase": "Shifting", "state": {"stage": "Flying", "announced": 25}}
UNREADABLE = UnreadableStatusError("status.state.stage: Flying is not known")


async def test_a_status_that_cannot_be_read() -> None:
    """Users see Invalid, Stalled and why; the position itself stays for a version that knows it."""
    setting = Setting(FLYING)
    for _ in range(2):
        await setting.recorder.tell_unreadable(KEY, UNREADABLE)
    status = setting.raw()["status"]
    assert status["phase"] == "Invalid"
    assert "status.state.stage: Flying" in status["message"]
    assert status["state"] == FLYING["state"]
    found = {condition["type"]: condition["status"] for condition in status["conditions"]}
    assert found == {"Ready": "False", "Reconciling": "False", "Stalled": "True"}
    assert setting.api.verbs().count(("patch", "GatewayCanary/status")) == 1
    assert [event["reason"] for event in setting.events()] == ["StatusUnreadable"]


async def test_a_status_that_is_mended_meanwhile() -> None:
    """What somebody has just written is not overwritten, and what is gone is left alone."""
    setting = Setting(FLYING)
    setting.api.add({**canary(), "status": {}})
    with pytest.raises(ConflictError):
        await setting.recorder.tell_unreadable(KEY, UNREADABLE)
    setting.caches.remove("GatewayCanary", namespace=NAMESPACE, name="web", uid=UID)
    before = len(setting.api.calls)
    await setting.recorder.tell_unreadable(KEY, UNREADABLE)
    assert len(setting.api.calls) == before
