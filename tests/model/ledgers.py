"""What really happened, noted from outside: the facts that the invariants are judged by.

The ledger reads the cluster's truth after every change, and what each decision was made of. It
never asks the core; times are in seconds that really passed, whatever the operator's clock says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gatewaycanary.api.status import Stage, parse_status
from gatewaycanary.core.decision import Event, SetStableImage, WithdrawWeight
from gatewaycanary.core.observation import Observation
from model.observing import PASSED
from model.pictures import Picture
from model.replicas import StatusWrite, Step

LET_GO = frozenset({"RouteUnwritable", "TargetNotFound"})


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The facts so far.

    ``turned``: revisions that a stored status or a mark in the route says are turned back.
    ``passed``: (revision, weight, suite) of every suite all of whose hooks have passed.
    ``revisions``: all that a stored status has named.
    ``written``: revisions whose image we gave to stable, and have not taken back.
    ``carried``: when the route first carried (revision, weight).
    ``quiet_since``: since when every look at the route has found no traffic; None: it carries.
    ``let_go``: an event told that the canary is left behind because its traffic cannot go.
    """

    seconds: Callable[[], float]
    turned: set[str] = field(default_factory=set)
    passed: set[tuple[str, int, int]] = field(default_factory=set)
    revisions: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    carried: dict[tuple[str, int], float] = field(default_factory=dict)
    quiet_since: float | None = float("-inf")
    let_go: bool = False
    last_stored: dict[str, object] = field(default_factory=dict)
    revision: str = ""
    announced: int = 0

    def changed(self, picture: Picture) -> None:
        """Note the facts of a changed cluster."""
        self._follow_status(picture)
        route = picture.route
        if route.carries and route.weight == self.announced and self.announced:
            self.carried.setdefault((self.revision, self.announced), self.seconds())
        for key, hooks in picture.runs:
            if len(hooks) == picture.suite_length and all(state == PASSED for state in hooks):
                self.passed.add((key.revision, key.weight, key.suite))

    def decided(self, observation: Observation) -> None:
        """Note what a decision saw."""
        route = observation.route
        done = observation.meta.deleting and not route.present
        if route.attached and route.weight != 0 and not done:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = self.seconds()

    def performed(self, step: Step) -> None:
        """Note what an effect made true."""
        effect = step.effect
        if isinstance(effect, WithdrawWeight) and effect.mark and step.after != step.before:
            self.turned.add(effect.mark)
        if isinstance(effect, StatusWrite) and effect.status.state.stage is Stage.ROLLING_BACK:
            self.turned.add(effect.status.state.revision)
        state = step.observation.status.state
        if isinstance(effect, SetStableImage):
            note = self.written.add if effect.image == state.image else self.written.discard
            note(state.revision)
        if isinstance(effect, StatusWrite):
            self.revisions.add(effect.status.state.revision)

    def told(self, event: Event) -> None:
        """Note an event."""
        self.let_go = self.let_go or event.reason in LET_GO

    def _follow_status(self, picture: Picture) -> None:
        resource = picture.resource
        if resource is None or resource.status is self.last_stored:
            return
        self.last_stored = resource.status
        state = parse_status(resource.status).state
        self.revision, self.announced = state.revision, state.announced
