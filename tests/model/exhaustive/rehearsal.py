"""The real engine's loop, run without a cluster: which effects it performs, in which order.

The engine is asked, not imitated: ``Reconciler.reconcile`` runs on stand-ins that note what is
sent, and that let chosen effects fail. So a wrong order in the engine is a wrong order here.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import Action, Decision, LoadTests, ReadTestLog
from gatewaycanary.core.observation import Observation
from gatewaycanary.engine.memory import Fingerprint, Recollection
from gatewaycanary.engine.observe import Observed
from gatewaycanary.engine.reconciler import Reconciler
from gatewaycanary.engine.surroundings import Surroundings
from gatewaycanary.kube.errors import ConflictError
from model.exhaustive.times import canonical
from model.replicas import Effect, StatusWrite

KEY = ("default", "gateway")


class Script(NamedTuple):
    """What the engine does about one observation.

    ``again``: the engine asks for another look, or has failed and will look again. ``requeue``:
    seconds until the next look, or None.
    """

    decision: Decision
    effects: tuple[Effect, ...]
    again: bool
    requeue: float | None


class _Unhurried(Recollection):
    """A recollection that puts nothing off."""

    def pace(self, decided: Fingerprint, *, now: datetime) -> timedelta:
        """Perform at once."""
        return timedelta()


class _Silent:
    """Whatever else the engine talks to: it takes everything and answers nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class _Stage:
    """The stand-ins for observer, recorder, actor and queue, in one."""

    def __init__(self, observation: Observation, failing: frozenset[int]) -> None:
        self.memory = _Silent()
        self.effects: list[Effect] = []
        self.decision: Decision | None = None
        self.again = False
        self.requeue: float | None = None
        self._observation = observation
        self._failing = failing

    def observe(self, key: tuple[str, str], *, now: datetime) -> Observed:
        """Give the observation."""
        return Observed(
            key=key,
            observation=self._observation,
            raw={},
            recollection=_Unhurried(uid="uid", met=True),
            around=Surroundings(),
        )

    def stage(self, key: tuple[str, str]) -> object:
        """Give the stored stage."""
        return self._observation.status.state.stage

    def _send(self, effect: Effect) -> None:
        at = len(self.effects)
        self.effects.append(effect)
        if at in self._failing:
            raise ConflictError(409, "the model lets it fail")

    async def record(self, observed: Observed, decision: Decision) -> bool:
        """Note the status write, if there is one."""
        if canonical(decision.status) == canonical(observed.observation.status):
            return False
        self._send(StatusWrite(status=decision.status))
        return True

    async def tell(self, *_: object) -> None:
        """Post no events."""

    async def perform(self, observed: Observed, action: Action) -> bool:
        """Note the effect; what is not watched asks for another look."""
        self._send(action)
        return isinstance(action, LoadTests | ReadTestLog)

    def add(self, key: object, priority: object) -> None:
        """Note that the engine wants to look again at once."""
        self.again = True

    def add_after(self, key: object, delay: float, priority: object) -> None:
        """Note when the engine wants to look again."""
        self.requeue = delay


def rehearse(observation: Observation, failing: frozenset[int] = frozenset()) -> Script:
    """Let the engine look once, with these effects failing."""
    stage = _Stage(observation, failing)
    part = cast("Any", stage)
    reconciler = Reconciler(
        queue=part,
        observer=part,
        recorder=part,
        actor=part,
        metrics=cast("Any", _Silent()),
        reactions=cast("Any", _Silent()),
        clock=lambda: observation.now,
    )
    failed = _fails(reconciler.reconcile(KEY))
    return Script(
        decision=decide(observation),
        effects=tuple(stage.effects),
        again=failed or stage.again,
        requeue=stage.requeue,
    )


def _fails(coroutine: Coroutine[Any, Any, None]) -> bool:
    try:
        coroutine.send(None)
    except StopIteration:
        return False
    except ConflictError:
        return True
    message = "the rehearsal waited for something"
    raise AssertionError(message)
