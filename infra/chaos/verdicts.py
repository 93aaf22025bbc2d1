"""What a run came to, judged on what was stored and what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chaos.plans import Image, Plan
from chaos.windows import Window, excused, took_pods
from proving.streams import Answer

STABLE = "1.0.0"
_ERRS = ("400 ", "409 ", "500 ")
"""How an erring image answers: one of these, and not a word. The data planes say more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a rollout ended: its phase, the reason of a failure, stable's tag.

    ``at`` is the monotonic time at which the failure was stored, ``late`` tells that the rollout
    had not ended when its time was over.
    """

    phase: str = ""
    reason: str = ""
    message: str = ""
    stable: str = ""
    at: float = 0.0
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The requests that got no proper answer, by whose doing."""

    own: int = 0
    excused: int = 0
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One run's judgement; ``wrong`` is empty where the end is right.

    ``struck`` tells that the run's own fault came to pass; ``restarts`` how often an operator was
    started again; ``resumed`` the seconds from the last fault's end to the next stored decision.
    """

    number: int
    fault: str
    outage: str
    provider: str
    good: bool
    phase: str
    wrong: str = ""
    excuse: str = ""
    breaches: tuple[str, ...] = ()
    own: int = 0
    excused: int = 0
    lost: tuple[str, ...] = ()
    requests: int = 0
    struck: bool = False
    restarts: int = 0
    resumed: float | None = None
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Tell whether nothing is to be blamed."""
        return not (self.wrong or self.breaches or self.lost)

    def stored(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    @classmethod
    def read(cls, found: dict[str, Any]) -> Verdict:
        """Read the JSON form."""
        lists = {key: tuple(value) for key, value in found.items() if isinstance(value, list)}
        return cls(**{**found, **lists})


def wrong_end(
    plan: Plan, end: End, windows: Iterable[Window], *, stable: str = STABLE
) -> tuple[str, str]:
    """Give what is wrong with an end, and what excuses it; either may be empty.

    ``stable`` is the version that stable is to keep where the image is bad.
    """
    wanted = "Succeeded" if plan.good else "Failed"
    kept, stable = stable, plan.image.value if plan.good else stable
    told = f"{end.phase} {end.reason}".strip() + f", stable {end.stable}"
    if end.late:
        return f"not ended in time: {told}: {end.message}", ""
    if end.phase == wanted and end.stable == stable:
        return "", ""
    reverted = end.phase == "Failed" and end.stable == kept
    if reverted and end.reason == "CanaryUnavailable" and took_pods(windows, at=end.at):
        return "", "CanaryUnavailable while the node was away"
    return f"{told}, and not {wanted}, stable {stable}: {end.message}", ""


def losses(
    plan: Plan,
    lost: Sequence[Answer],
    windows: Sequence[Window],
    shifts: Sequence[tuple[float, int]] = (),
) -> Losses:
    """Tell for each request without a proper answer whose doing it was.

    ``shifts`` are the moments at which the route got a weight, for the telling.
    """
    own = excuses = 0
    blamed = []
    for answer in lost:
        if plan.image is Image.ERRING and answer.trouble in _ERRS:
            own += 1
        elif excused(windows, began=answer.began, ended=answer.ended):
            excuses += 1
        else:
            blamed.append(f"{answer.trouble}, {_when(answer, shifts)}")
    return Losses(own=own, excused=excuses, lost=tuple(blamed))


def _when(answer: Answer, shifts: Sequence[tuple[float, int]]) -> str:
    took = f"after {answer.ended - answer.began:.1f} s"
    before = [shift for shift in shifts if shift[0] <= answer.began]
    if not before:
        return took
    at, weight = before[-1]
    return f"{took}, begun {answer.began - at:.1f} s after weight {weight}"
