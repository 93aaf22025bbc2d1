"""Ten runs side by side under one outage: set up, started together, judged, cleared away."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from chaos import outages
from chaos.grounds import Ground
from chaos.outages import NodeWatch
from chaos.plans import Fault, Image, Outage, Plan
from chaos.stands import NAME, Stand
from chaos.strikes import Strike
from chaos.verdicts import STABLE, End, Verdict, losses, wrong_end
from chaos.windows import Window
from gatewaycanary.kube.resources import Object
from proving import invariants, timelines
from proving.histories import LateError, Record

LIMIT = 200.0
"""Seconds that a rollout may take, from its start or from the end of the outage."""

_TIDY = 60.0
_BUG = re.compile(r"a bug in the operator")
_NO_RIGHT = re.compile(r"a bug in the operator|\b403\b")
_ROLES_UNREAD = frozenset({Outage.API, Outage.ETCD})
"""After these an API server has no right for anybody, until it has read the roles."""


class Batch:
    """Run some plans that share an outage."""

    def __init__(self, ground: Ground, plans: Sequence[Plan]) -> None:
        self._ground = ground
        self._plans = plans
        self._shared = plans[0].shared
        self._stands: list[Stand] = []
        self._window: Window | None = None
        self._over = threading.Event()

    def run(self) -> list[Verdict]:
        """Give the verdicts of all runs."""
        nodes = NodeWatch(self._ground.api)
        with ThreadPoolExecutor(max_workers=len(self._plans) + 1) as pool:
            try:
                nodes.await_ready()
                self._stands = list(pool.map(lambda plan: Stand(plan, self._ground), self._plans))
                list(pool.map(Stand.set_up, self._stands))
                strikes = [Strike(stand) for stand in self._stands]
                ends = [pool.submit(self._course, each) for each in strikes]
                self._disturb()
                wait(ends)
                return [
                    self._judge(strike, nodes, broken=end.exception())
                    for strike, end in zip(strikes, ends, strict=True)
                ]
            finally:
                list(pool.map(Stand.strike, self._stands))
                nodes.close()

    def _disturb(self) -> None:
        try:
            # NB: the moment of the outage is what the plan says.
            time.sleep(self._shared.after)
            self._window = outages.strike(self._shared, self._stands)
        finally:
            self._over.set()

    def _course(self, strike: Strike) -> None:
        """Start a rollout, strike it, and wait for its end and for what comes after it."""
        stand = strike.stand
        stand.apply(strike.first_image())
        strike.run()
        self._over.wait()
        _awaits(stand, "the end", stand.rests, LIMIT)
        _awaits(stand, "nothing of ours is left", lambda: not stand.leftovers(), _TIDY)

    def _judge(self, strike: Strike, nodes: NodeWatch, *, broken: BaseException | None) -> Verdict:
        stand = strike.stand
        stand.stream.stop()
        plan, now = stand.plan, time.monotonic()
        windows = nodes.windows(now) + ([self._window] if self._window else [])
        records = stand.history.records()
        end = _end(stand, records)
        wrong, excuse = wrong_end(plan, end, windows, stable=_found_stable(records, plan))
        breaches = [
            *invariants.breaches(records),
            *stand.history.gaps,
            *(f"{each} is left" for each in stand.leftovers()),
            *_complaints(stand),
            *([f"the run itself broke: {broken!r}"] if broken else []),
        ]
        shifts = [(each.record.at, each.after) for each in timelines.shifts(records)]
        told = losses(plan, stand.stream.lost(), windows, shifts)
        sprung = max((each.at for each in stand.traps), default=0.0)
        struck = max(strike.ended, sprung)
        version = max((each.version for each in stand.traps), default=0)
        return Verdict(
            number=plan.number,
            fault=plan.name,
            outage=plan.shared.outage.name,
            provider=plan.provider,
            good=plan.good,
            phase=f"{end.phase} {end.reason}".strip(),
            wrong=wrong,
            excuse=excuse,
            breaches=tuple(breaches),
            own=told.own,
            excused=told.excused,
            lost=told.lost,
            requests=len(stand.stream.answers()),
            struck=struck > 0 or plan.fault is Fault.NONE,
            restarts=sum(each.starts - 1 for each in stand.keepers),
            resumed=_resumed(
                [each for each in records if each.version > version],
                max(struck, self._window.ended if self._window else 0.0),
            ),
            seconds=round(_ended_at(records) - stand.began, 1),
        )


def _awaits(stand: Stand, told: str, condition: Callable[[], bool], seconds: float) -> None:
    try:
        stand.history.wait(told, condition, timeout=seconds)
    except LateError:
        # What has not come is judged as it is.
        return


def _end(stand: Stand, records: Sequence[Record]) -> End:
    status = stand.status()
    failed = [
        each.at
        for each in timelines.of_kind(records, "GatewayCanary")
        if timelines.state(each.object).get("outcome") == "Failed"
    ]
    return End(
        phase=str(status.get("phase", "")),
        reason=str((status.get("failure") or {}).get("reason", "")),
        message=str(status.get("message", "")),
        stable=stand.stable(),
        at=failed[0] if failed else 0.0,
        late=not stand.rests(),
    )


def _found_stable(records: Sequence[Record], plan: Plan) -> str:
    """Name the version that stable had before the last image: a first one may have come so far."""
    if plan.fault is not Fault.RENEWED or plan.good:
        return STABLE
    promoted = any(
        timelines.state(each.object).get("outcome") == "Promoted"
        for each in timelines.of_kind(records, "GatewayCanary")
    )
    return Image.GOOD.value if promoted else STABLE


def _statuses(records: Sequence[Record]) -> list[tuple[float, Object]]:
    found: list[tuple[float, Object]] = []
    for record in timelines.of_kind(records, "GatewayCanary"):
        status = timelines.status(record.object)
        if record.name == NAME and (not found or found[-1][1] != status):
            found.append((record.at, status))
    return found


def _ended_at(records: Sequence[Record]) -> float:
    found = _statuses(records)
    return found[-1][0] if found else 0.0


def _resumed(records: Sequence[Record], since: float) -> float | None:
    later = [at for at, _ in _statuses(records) if at >= since > 0]
    return round(later[0] - since, 2) if later else None


def _complaints(stand: Stand) -> list[str]:
    """Give the lines of the operators' logs that tell of a bug, or of a missing right."""
    bad = _BUG if stand.plan.shared.outage in _ROLES_UNREAD else _NO_RIGHT
    lines = [line for log in stand.logs for line in log.read_text().splitlines()]
    return [line for line in lines if bad.search(line)][:3]
