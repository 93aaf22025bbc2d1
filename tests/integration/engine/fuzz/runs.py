"""A run: objects in batches, side by side in prepared namespaces, before one running operator."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import DEPLOYMENT, GATEWAY_CANARY, INGRESS, SERVICE, Object
from integration.engine.fuzz import judging, servers
from integration.engine.fuzz.objects import PREPARED, Drawn
from integration.engine.fuzz.servers import Answer
from proving.api import NAMESPACE, Api

SPACES = 40
"""Namespaces, and so objects at once: two in one namespace could be rivals for its gateway."""

PATIENCE = 60.0
Place = tuple[str, str]
"""Namespace and name."""


@dataclass(slots=True)
class Tally:
    """What became of the objects, and what was found."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def note(self, kind: str, answer: Answer, fault: str) -> None:
        """Count an object, and keep it where something is wrong."""
        self.counts[kind] += 1
        if fault:
            shown = json.dumps(answer.sent)
            self.findings.append(
                f"{fault}\n  {answer.code} {answer.message[:600]}\n  {shown[:900]}"
            )


@contextmanager
def spaces(api: Api) -> Iterator[list[str]]:
    """Make namespaces for as long as the block lasts."""
    run = uuid.uuid4().hex[:6]
    names = [f"fuzz-{run}-{number}" for number in range(SPACES)]
    for name in names:
        api.create(NAMESPACE, {"metadata": {"name": name}})
    try:
        yield names
    finally:
        for name in names:
            api.delete(NAMESPACE, name)


def run(api: Api, drawn: Iterable[Drawn], namespaces: list[str]) -> Tally:
    """Send all objects and judge what becomes of each."""
    tally, began, sent = Tally(), time.monotonic(), 0
    left = iter(drawn)
    while batch := list(islice(left, len(namespaces))):
        _batch(api, batch, namespaces, tally)
        sent += len(batch)
        if sent % 500 < len(batch):
            said = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.counts.items()))
            print(f"{sent} objects, {time.monotonic() - began:.0f} s: {said}", file=sys.stderr)
    return tally


def _batch(api: Api, batch: list[Drawn], namespaces: list[str], tally: Tally) -> None:
    taken: dict[Place, Answer] = {}
    for one, namespace in zip(batch, namespaces, strict=False):
        answer = servers.create(api, one, name=f"f{one.number}-", namespace=namespace)
        if answer.stored is None:
            tally.note("refused", answer, judging.fault(answer))
        else:
            taken[namespace, answer.sent["metadata"]["name"]] = answer
    seen = _awaited(api, taken, _is_answered)
    for place, answer in taken.items():
        fault = judging.fault(answer) or _said(seen.get(place))
        tally.note("taken", answer, fault)
        _remove(api, *place)
    for place in _awaited(api, taken, lambda canary: canary is None):
        tally.note("undeleted", taken[place], "its deletion does not end")


def _remove(api: Api, namespace: str, name: str) -> None:
    """Delete a canary and what was made for it; a scale-down delay may be drawn as years."""
    api.delete(GATEWAY_CANARY, name, namespace)
    if api.find(GATEWAY_CANARY, name, namespace) is not None:
        api.merge(GATEWAY_CANARY, name, {"metadata": {"finalizers": None}}, namespace)
    for resource in (DEPLOYMENT, SERVICE, INGRESS):
        api.delete(resource, f"{PREPARED}-canary", namespace)


def _said(canary: Object | None) -> str:
    return "it is gone" if canary is None else judging.unanswered(canary)


def _is_answered(canary: Object | None) -> bool:
    if canary is None:
        return False
    status = canary.get("status") or {}
    return bool(status.get("observedGeneration") == canary["metadata"]["generation"])


def _awaited(
    api: Api, wanted: Collection[Place], condition: Callable[[Object | None], bool]
) -> dict[Place, Object]:
    """Wait until the condition holds for each of these; give what is there at the end."""
    found: dict[Place, Object] = {}

    def all_hold() -> bool:
        found.clear()
        for one in api.list(GATEWAY_CANARY)["items"]:
            place = one["metadata"]["namespace"], one["metadata"]["name"]
            if place in wanted:
                found[place] = one
        return all(condition(found.get(place)) for place in wanted)

    wait_until(all_hold, PATIENCE, interval=0.1)
    return found
