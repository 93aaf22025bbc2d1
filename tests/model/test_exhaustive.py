"""Every state that a rollout can come to with one fault; `make model` goes on to two and more.

The explorer is tried as well: on a `decide` and on an engine that are wrong on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatewaycanary.api.status import Stage
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import Decision, DisownRoute, RaiseWeight, WithdrawWeight
from gatewaycanary.core.observation import Observation
from gatewaycanary.engine.observe import Observed
from gatewaycanary.engine.reconciler import Reconciler
from model.exhaustive import telling, walking
from model.exhaustive.abstract import Model
from model.exhaustive.exploring import Finding, explore
from model.exhaustive.rehearsal import rehearse
from model.exhaustive.scenes import HELD, NGINX, SCENES, THREE_PODS, Scene
from model.specs import V2
from model.worlds import World

Wrong = Callable[[Observation, Decision], Decision]


def _decide_wrongly(monkeypatch: pytest.MonkeyPatch, wrong: Wrong) -> None:
    def decided(observation: Observation) -> Decision:
        return wrong(observation, decide(observation))

    for module in ("gatewaycanary.engine.reconciler", "model.exhaustive.rehearsal"):
        monkeypatch.setattr(f"{module}.decide", decided)


def _found(scene: Scene) -> tuple[Model, Finding]:
    model = Model(scene)
    finding = explore(model).finding
    assert finding is not None
    return model, finding


@pytest.mark.parametrize("scene", [NGINX, HELD, THREE_PODS], ids=lambda scene: scene.name)
def test_one_fault_anywhere(scene: Scene) -> None:
    """With one fault at any point every invariant holds, and every state can come to rest."""
    model = Model(scene.with_faults(1))
    graph = explore(model)
    assert graph.finding is None, "\n".join(telling.lines(model, graph.finding))
    assert len(graph.nodes) > 10_000
    assert graph.edges > len(graph.nodes)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_walks_with_many_faults(scene: Scene) -> None:
    """Eight faults in a row, at random, break nothing either."""
    model = Model(scene.with_faults(walking.FAULTS))
    told = walking.walk(model, seed=1, walks=range(10))
    assert told.finding is None, "\n".join(telling.lines(model, told.finding))
    assert told.faults == 10 * walking.FAULTS


def test_a_walk_goes_the_same_way_every_time() -> None:
    """A walk is named by its seed and its number, whichever walks went before it."""
    ends = []
    for walks in (range(3), range(2, 3)):
        model = Model(NGINX.with_faults(4))
        walking.walk(model, seed=7, walks=walks)
        ends.append(walking.walk(model, seed=7, walks=range(2, 3)).moves)
    assert ends[0] == ends[1]


def test_the_undisturbed_course_is_a_single_line() -> None:
    """Without faults the only choice is the tests' verdict, so that the ends are four."""
    graph = explore(Model(NGINX.with_faults(0)))
    assert graph.finding is None
    assert len(graph.resting) == 4
    assert len(graph.nodes) < 400


def test_a_revert_behind_its_status_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that lets the revert wait for its own status breaks the rule that names it."""

    def wrong(_: Observation, decision: Decision) -> Decision:
        return replace(decision, urgent=(), actions=decision.urgent + decision.actions)

    _decide_wrongly(monkeypatch, wrong)
    _, finding = _found(NGINX.with_faults(0))
    assert finding.rule == "traffic_first"


def test_an_engine_that_stores_the_status_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is judged on what the engine performs, not on what was decided."""

    async def status_first(self: Reconciler, observed: Observed, decision: Decision) -> None:
        await self._record(observed, decision)
        await self._act(observed, decision.urgent)

    monkeypatch.setattr(Reconciler, "_revert", status_first)
    _, finding = _found(NGINX.with_faults(0))
    assert finding.rule == "traffic_before_status"


def test_a_look_that_nobody_asks_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a decision forgets to ask for a look again, the canary stays where it may not."""
    _decide_wrongly(monkeypatch, lambda _, decision: replace(decision, requeue_after=None))
    _, finding = _found(NGINX.with_faults(0))
    assert finding.rule == "a_place_to_rest"


def test_a_state_without_a_way_to_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollout that is put off for ever never rests, though something always happens."""

    def wrong(observation: Observation, decision: Decision) -> Decision:
        if observation.status.state.stage is not Stage.FINALIZING:
            return decision
        put_off = timedelta(seconds=5)
        return Decision(status=observation.status, requeue_after=put_off, summary="not yet")

    _decide_wrongly(monkeypatch, wrong)
    _, finding = _found(NGINX.with_faults(0))
    assert finding.rule == "rest_can_be_reached"


def test_a_counter_example_is_told_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shortest way to a breach can be followed without the code."""

    def wrong(_: Observation, decision: Decision) -> Decision:
        doubled = tuple(
            replace(one, weight=2 * one.weight) if isinstance(one, RaiseWeight) else one
            for one in decision.actions
        )
        return replace(decision, actions=doubled)

    _decide_wrongly(monkeypatch, wrong)
    told = list(telling.lines(*_found(NGINX.with_faults(0))))
    assert told[0] == (
        "At first, a route of ours, promoted by the operator: "
        "stable 1.0.0 with 1 ready, no canary, route as found."
    )
    assert told[1] == f'  1. the operator looks and decides: "Starting the rollout of {V2}".'
    assert "\n".join(told[-5:]) == (
        " 15. the operator stores its status: Shifting, stage Ramping, 20 % announced, "
        "0 % recorded.\n"
        "       -> stored stage Ramping, stable 1.0.0 with 1 ready, canary with 1 ready, "
        "route as found\n"
        " 16. the operator writes 40 % into the route.\n"
        "This breaks the rule: 5.5. Every status write precedes the effect it announces "
        "(a revert's is the exception).\n"
        "For 40 % was written, but not announced."
    )


def test_every_rule_has_its_sentence() -> None:
    """Whatever is found can be told with the design's own words."""
    for name, sentence in telling.rules().items():
        assert sentence.endswith("."), name


def test_every_action_has_its_words() -> None:
    """Whatever the operator does can be told."""
    world = World()
    world.settle()
    told = {telling.effect_words(step.effect) for step in world.steps}
    assert "adds its finalizer" in told
    assert "takes its destination out of the route" in told
    assert telling.effect_words(WithdrawWeight(mark="r1")).endswith("marked as turned back")
    assert telling.effect_words(DisownRoute()) == "gives the route back to its owner"


def test_the_rehearsal_lets_effects_fail() -> None:
    """What fails ends the look, and the engine asks for another one."""
    model = Model(NGINX)
    plan = model.plans[model.plans.find(model.start().view, model.fresh)]
    assert plan is not None
    whole, failed = rehearse(plan.observation), rehearse(plan.observation, frozenset({0}))
    assert failed.again
    assert failed.effects == whole.effects[:1]
