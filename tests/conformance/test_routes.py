"""Every provider keeps every promise; a new provider adds one bench to this list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.benches import USER_ROUTE, Bench
from conformance.cases import CASES
from conformance.gateway_api import GatewayBench
from conformance.istio import IstioBench, SubsetsBench
from conformance.nginx import NginxBench
from conformance.stages import Case, Stage
from gatewaycanary.traffic.registry import PROVIDERS

BENCHES: tuple[Callable[[], Bench], ...] = (NginxBench, IstioBench, SubsetsBench, GatewayBench)
PAIRS = [
    pytest.param(bench, case, id=f"{bench.__name__}-{case.name}")
    for bench in BENCHES
    for case in CASES
    if case.features <= bench().features
]

STEPS = st.one_of(
    st.tuples(st.just("raise"), st.integers(1, 100)),
    st.tuples(st.just("withdraw"), st.sampled_from(["", "abc-1"])),
    st.tuples(st.just("restore"), st.none()),
    st.tuples(st.just("tamper"), st.one_of(st.none(), st.text(max_size=4), st.just("33"))),
    st.tuples(st.just("touch"), st.none()),
)


@pytest.mark.parametrize(("bench", "case"), PAIRS)
def test_promise(bench: Callable[[], Bench], case: Case) -> None:
    """The provider keeps the promise that the case's own docstring states."""
    case.check(Stage(bench=bench()))


def test_every_provider_is_on_a_bench() -> None:
    """No provider is built in without its promises being tried."""
    assert {bench().name for bench in BENCHES} == set(PROVIDERS)


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.__name__)
@given(steps=st.lists(STEPS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_order(bench: Callable[[], Bench], steps: list[tuple[str, object]]) -> None:
    """In whatever order things happen, a write brings what was asked and nothing else changes."""
    stage, untouched = Stage(bench=bench()), Stage(bench=bench())
    for verb, argument in steps:
        if verb == "raise":
            assert isinstance(argument, int)
            stage.raise_to(argument)
            assert (stage.view.weight, stage.shares()) == (argument, ({argument}, {0}))
        elif verb == "withdraw":
            stage.withdraw(str(argument))
            assert stage.shares() == ({0}, {0})
        elif verb == "restore":
            stage.restore()
        elif stage.view.attached and verb == "touch":
            stage.bench.touch(stage.documents)
            if USER_ROUTE in stage.bench.features:
                stage.bench.touch(untouched.documents)
        elif stage.view.weight is not None and isinstance(argument, str | None):
            stage.bench.tamper(stage.documents, argument)
    stage.restore()
    assert stage.documents.snapshot() == untouched.documents.snapshot()
