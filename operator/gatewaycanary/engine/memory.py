"""What this process remembers of a canary beside what the cluster stores.

All of it can be lost: it saves work (parsed specs, loaded hooks) or sharpens what is seen (a test
object that was there and is gone, a log that was read). Nothing here decides where traffic goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gatewaycanary.api.status import Status
from gatewaycanary.core.decision import Action
from gatewaycanary.core.observation import Problem, RunView
from gatewaycanary.engine.parsing import Parsed, read
from gatewaycanary.engine.relations import Key
from gatewaycanary.helmtests.memory import RunMemory
from gatewaycanary.helmtests.release import Hook
from gatewaycanary.kube.resources import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The hooks that were read for one rollout, a tuple a suite, or what forbids to run them."""

    ordinal: int = 0
    hooks: tuple[tuple[Hook, ...], ...] = ()
    releases: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    expires: datetime | None = None

    @property
    def supporting(self) -> tuple[Hook, ...]:
        """Give the hooks that are something else than a test, and so are not watched."""
        return tuple(hook for suite in self.hooks for hook in suite if not hook.is_test)


REPEATS_ALLOWED = 3
PACE = timedelta(seconds=0.1)
DOUBLINGS = 8
LONG_AGO = datetime.min.replace(tzinfo=UTC)

Fingerprint = tuple[Status, tuple[Action, ...], RunView]
"""What a decision says and which test run it was made on."""


@dataclass(slots=True)
class Recollection:
    """What is remembered of one canary.

    ``met``: whether this process has looked at it before. ``logs``: the failed test's log by
    revision. ``cleaned``: the last rollout whose test objects were deleted, by its ordinal.
    ``asked``: the patience that the API server asked for at ``asked_at``, of a revert's own write
    if ``asked_urgently``.
    """

    uid: str
    met: bool = False
    parsed: Parsed | None = None
    loaded: Loaded | None = None
    run: RunMemory = field(default_factory=RunMemory)
    logs: Mapping[str, str] = field(default_factory=dict)
    cleaned: int = 0
    unwritable_since: datetime | None = None
    last: Fingerprint | None = None
    repeats: int = 0
    resume_at: datetime = LONG_AGO
    asked: timedelta = timedelta()
    asked_at: datetime = LONG_AGO
    asked_urgently: bool = False

    def patience(self, *, now: datetime, urgent: bool) -> timedelta:
        """Tell for how much longer the API server wants to be left alone about this canary.

        What is urgent waits only where just that was refused.
        """
        if urgent and not self.asked_urgently:
            return timedelta()
        # NB: a clock that was set back must not prolong it.
        passed = now - self.asked_at
        return max(self.asked - passed, timedelta()) if passed >= timedelta() else timedelta()

    def pace(self, decided: Fingerprint, *, now: datetime) -> timedelta:
        """Tell how long to put off what is decided: longer the more often it was performed."""
        # NB: a clock that was set back must not hold anything up for as long as it was ahead.
        if decided != self.last or self.resume_at > now + PACE * 2**DOUBLINGS:
            self.last, self.repeats, self.resume_at = decided, 0, now
        wait = self.resume_at - now
        if wait <= timedelta():
            self.repeats += 1
            patience = PACE * 2 ** min(self.repeats - REPEATS_ALLOWED, DOUBLINGS)
            self.resume_at = now + (patience if self.repeats > REPEATS_ALLOWED else timedelta())
        return wait

    def read(self, raw: Object) -> Parsed:
        """Read this version of the canary, once."""
        version = raw["metadata"]["resourceVersion"]
        if self.parsed is None or self.parsed.meta.resource_version != version:
            self.parsed = read(raw)
        return self.parsed


class Memory:
    """The recollections of all canaries, by key; a new uid begins anew."""

    def __init__(self) -> None:
        self._kept: dict[Key, Recollection] = {}

    def of(self, key: Key, *, uid: str) -> Recollection:
        """Give what is remembered of a canary."""
        kept = self._kept.get(key)
        if kept is None or kept.uid != uid:
            kept = self._kept[key] = Recollection(uid=uid)
        return kept

    def forget(self, key: Key) -> None:
        """Forget a canary that is gone."""
        self._kept.pop(key, None)

    def note_asked(self, key: Key, patience: timedelta, *, at: datetime, urgent: bool) -> None:
        """Note that the API server asked for patience; a revert's own outlasts any other."""
        kept = self._kept.get(key)
        if kept is not None and not kept.patience(now=at, urgent=True):
            kept.asked, kept.asked_at, kept.asked_urgently = patience, at, urgent

    def is_unwritable(self, key: Key) -> bool:
        """Tell whether the last write of the route failed."""
        kept = self._kept.get(key)
        return kept is not None and kept.unwritable_since is not None

    def note_unwritable(self, key: Key, *, since: datetime) -> None:
        """Note that the route could not be written."""
        kept = self._kept.get(key)
        if kept is not None and kept.unwritable_since is None:
            kept.unwritable_since = since

    def note_written(self, key: Key) -> None:
        """Note that the route could be written."""
        kept = self._kept.get(key)
        if kept is not None:
            kept.unwritable_since = None
