"""A plan is a pure function of its seed and of the requests that came before."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from faults import requests
from faults.kinds import STREAM, Fault, possible
from faults.plans import Course, Injection, Plan
from faults.requests import Request

PODS = "/api/v1/namespaces/a/pods"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/a/leases/b"
LIST = requests.read("GET", PODS)
WATCH = requests.read("GET", PODS, query={"watch": "true"})
CREATE = requests.read("POST", PODS)
DELETE = requests.read("DELETE", f"{PODS}/b")
JSON_PATCH = requests.read("PATCH", f"{PODS}/b", content_type="application/json-patch+json")
RENEWAL = requests.read("PATCH", LEASE, content_type="application/json-patch+json")
ALL = (LIST, WATCH, CREATE, DELETE, JSON_PATCH)

Met = tuple[str, int, Injection | None]


def course(plan: Plan, asked: list[Request]) -> list[Met]:
    """Give what each request meets."""
    followed = Course(plan)
    return [(request.key, *followed.take(request)) for request in asked]


def asked(seed: int, count: int = 400) -> list[Request]:
    """Give a sequence of requests."""
    return Random(seed).choices(ALL, k=count)


@pytest.mark.parametrize("seed", range(5))
def test_same_seed_same_faults(seed: int) -> None:
    """The same requests meet the same faults."""
    plan = Plan(seed=seed)
    assert course(plan, asked(seed)) == course(plan, asked(seed))


def test_other_seeds_have_other_faults() -> None:
    """A seed decides."""
    assert course(Plan(seed=1), asked(1)) != course(Plan(seed=2), asked(1))


def test_order_between_sequences_does_not_matter() -> None:
    """What one verb of one resource meets is the same, however the others lie beside it."""
    plan, sent = Plan(seed=3), asked(3)

    def grouped(order: list[Request]) -> list[Met]:
        return sorted(course(plan, order), key=lambda met: met[:2])

    assert grouped(sent) == grouped(sorted(sent, key=lambda each: each.key))


@pytest.mark.parametrize("streak", [1, 2, 3])
def test_progress_is_possible(streak: int) -> None:
    """However likely faults are, after some in a row a request passes."""
    met = course(Plan(seed=1, rate=1.0, streak=streak), [CREATE] * 40)
    passed = [number for _, number, injection in met if injection is None]
    assert passed == list(range(streak, 40, streak + 1))


def test_rates() -> None:
    """Faults come about as often as asked for; those of the Lease by their own rate."""
    plan = Plan(seed=1, rate=0.2, lease_rate=0.0, streak=10**6)
    struck = [injection for *_, injection in course(plan, asked(1, 4000)) if injection]
    assert 600 < len(struck) < 1000
    assert not any(injection for *_, injection in course(plan, [RENEWAL] * 100))


def test_every_possible_fault_comes() -> None:
    """Over many requests each request meets all that can happen to it, and nothing else."""
    for request in ALL:
        met = course(Plan(seed=1, rate=0.5), [request] * 600)
        assert {each.fault for *_, each in met if each} == set(possible(request))


def test_kinds_are_kept_to() -> None:
    """A plan of one fault only has that one."""
    plan = Plan(seed=1, rate=0.9, kinds=frozenset({Fault.CONFLICT}))
    met = Counter(each.fault for *_, each in course(plan, asked(1)) if each)
    assert set(met) == {Fault.CONFLICT}


def test_stream_faults() -> None:
    """Events of a watch meet the faults of streams; the first passes, so that each stream gives."""
    followed = Course(Plan(seed=1, event_rate=0.5))
    met = [followed.at_event(WATCH, number=0, event=event) for event in range(200)]
    assert met[0] is None
    assert {each.fault for each in met if each} == set(STREAM)


def test_without_a_plan() -> None:
    """Nothing goes wrong, and requests are numbered all the same."""
    followed = Course(None)
    assert [followed.take(CREATE) for _ in range(2)] == [(0, None), (1, None)]
    assert followed.at_event(WATCH, number=0, event=1) is None
