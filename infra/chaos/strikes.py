"""What happens to one run alone, at its moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from chaos.keepers import Keeper
from chaos.patience import insist
from chaos.plans import Fault, Image
from chaos.stands import Stand
from gatewaycanary.kube.resources import POD, Object
from proving import timelines
from proving.api import RefusedError
from proving.histories import LateError

LEASE = 15.0
_PAST = 3.0
"""Seconds for which a leader stays stopped after its lease has run out."""

_PATIENCE = 240.0
"""Seconds for which a rollout is waited for to come to where it is struck."""

_LEADS = "gatewaycanary_leader 1.0"
_LOOK = 0.2


class Strike:
    """Do to a stand what its plan says; ``ended`` is when it was last struck, or 0."""

    def __init__(self, stand: Stand) -> None:
        self.ended = 0.0
        self.stand = stand
        self._plan = stand.plan

    def first_image(self) -> Image:
        """Give what is asked for first."""
        if self._plan.fault is not Fault.RENEWED:
            return self._plan.image
        return Image.BROKEN if self._plan.good else Image.GOOD

    def run(self) -> None:
        """Wait for the moment and strike; return at once where nothing is to happen from here."""
        acts: dict[Fault, Callable[[], None]] = {
            Fault.KILLED: self._killed,
            Fault.STANDBY: self._leader_killed,
            Fault.TWINS: self._twin_killed,
            Fault.PAUSED: self._paused,
            Fault.EVICTED: self._evicted,
            Fault.RENEWED: self._renewed,
        }
        try:
            acts.get(self._plan.fault, lambda: None)()
        except LateError:
            # The rollout never came to where it was to be struck: its end tells why.
            return

    def _killed(self) -> None:
        for moment in self._plan.moments:
            if self._comes(moment):
                self.ended = self.stand.keepers[0].kill()

    def _leader_killed(self) -> None:
        if self._comes(self._plan.moments[0]) and (leader := self._leader()):
            self.ended = leader.kill()

    def _twin_killed(self) -> None:
        if self._comes(self._plan.moments[0]):
            self.ended = self.stand.keepers[1].kill()

    def _paused(self) -> None:
        if self._comes(self._plan.moments[0]) and (leader := self._leader()):
            self.ended = leader.pause(LEASE + _PAST)

    def _evicted(self) -> None:
        first = self._test_pod(besides="")
        name = first["metadata"]["name"]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        path = POD.path(namespace=self.stand.namespace, name=name, subresource="eviction")
        self._struck(lambda: self.stand.api.request("POST", path, eviction))
        second = self._test_pod(besides=name)["metadata"]["name"]
        self._struck(lambda: self.stand.api.delete(POD, second, self.stand.namespace))

    def _renewed(self) -> None:
        self.stand.history.wait("the first weight", self._weighed, timeout=_PATIENCE)
        self._comes(time.monotonic() - self.stand.began + self._plan.moments[0] / 3)
        self.stand.apply(self._plan.image)
        self.ended = time.monotonic()

    def _struck(self, action: Callable[[], object]) -> None:
        try:
            insist(action)
        except RefusedError as refused:
            # A test that was over before it could be evicted is no error.
            if refused.status not in {404, 409}:
                raise
        self.ended = time.monotonic()

    def _comes(self, moment: float) -> bool:
        """Wait for a moment of the rollout; tell whether it is still under way then."""
        due = self.stand.began + moment
        while (left := due - time.monotonic()) > 0:
            try:
                self.stand.history.wait("the end", self.stand.rests, timeout=left)
            except LateError:
                break
            return False
        return not self.stand.rests()

    def _leader(self) -> Keeper | None:
        """Find who leads, as soon as somebody does; None where the rollout ends before."""
        while not self.stand.rests():
            for keeper in self.stand.keepers:
                if _leads(keeper):
                    return keeper
            # NB: nothing but the metrics tells which process leads.
            time.sleep(_LOOK)
        return None

    def _weighed(self) -> bool:
        return bool(timelines.state(self.stand.canary()).get("announced"))

    def _test_pod(self, *, besides: str) -> Object:
        return self.stand.history.wait(
            "a test pod", partial(self._found, besides), timeout=_PATIENCE
        )

    def _found(self, besides: str) -> Object:
        found = [each for each in self.stand.test_pods() if each["metadata"]["name"] != besides]
        return found[0] if found else {}


def _leads(keeper: Keeper) -> bool:
    try:
        return _LEADS in keeper.operator.metrics().splitlines()
    except OSError:
        # One that is just starting, or stopped, answers nothing.
        return False
