"""A counter-example in plain words: what happened, move by move, and which rule it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gatewaycanary.api.status import Stage, parse_status
from gatewaycanary.core import decision as actions
from gatewaycanary.core.decide import decide
from gatewaycanary.core.decision import Action
from model import invariants, judgements, orders
from model.exhaustive.abstract import Model
from model.exhaustive.exploring import Finding
from model.exhaustive.nodes import Kind, Move, Node, Under
from model.exhaustive.times import NOW
from model.observing import observe
from model.pictures import Picture
from model.replicas import Effect, StatusWrite

OWN_RULES: Final = {
    "decide_is_total": "8. `decide` is total and deterministic; no input raises.",
    "a_place_to_rest": "9. Every canary reaches Succeeded, Failed, Invalid or a named wait.",
    "rest_can_be_reached": "9. Every state can still reach one where a canary may rest.",
    "walk_ends": "9. A walk without further faults comes to rest.",
}


def rules() -> dict[str, str]:
    """Give the design's sentence for every rule, by its name."""
    checks = (
        *invariants.CHECKS,
        *judgements.CHECKS,
        invariants.traffic_outlives_no_canary,
        orders.nothing_left_unsaid,
    )
    told = {check.__name__: (check.__doc__ or "").splitlines()[0] for check in checks}
    return told | OWN_RULES


def lines(model: Model, finding: Finding) -> Iterator[str]:
    """Tell a finding as a numbered list that can be followed without the code."""
    yield f"At first, {model.scene.words}: {_sights(model, model.start())}."
    shown = _sights(model, model.start())
    nodes = [node for node, _ in finding.path[1:]] + [finding.last]
    for at, ((before, move), after) in enumerate(zip(finding.path, nodes, strict=True), 1):
        fault = "FAULT: " if move.fault else ""
        yield f"{at:3}. {fault}{words(model, before, move)}."
        now = shown if after is None else _sights(model, after)
        if now != shown:
            yield f"       -> {now}"
            shown = now
    yield f"This breaks the rule: {rules().get(finding.rule, finding.rule)}"
    yield f"For {finding.told.partition(': ')[2]}."


def words(model: Model, before: Node, move: Move) -> str:
    """Tell one move."""
    if move.kind is Kind.HAPPENING:
        return move.words
    if move.kind is Kind.LOOK:
        return _look(model, before)
    if move.under is None:
        return "the operator crashes between two looks and comes up anew"
    effect = effect_words(model.plans.effect(move.under))
    refused = _is_refused(model, before, move, move.under)
    told = _SENTENCES[move.kind].format(effect=effect)
    return f"{told}, which is refused: what it was based on has changed" if refused else told


_SENTENCES: Final = {
    Kind.EFFECT: "the operator {effect}",
    Kind.CRASH: "the operator crashes before it {effect}; it comes up anew",
    Kind.DEPOSED: (
        "another operator takes the lead; the last request of the old one is still on its way: "
        "it {effect}"
    ),
    Kind.LATE: "the late request arrives: the old operator {effect}",
    Kind.REPEAT: "a request arrives twice: the operator {effect}",
    Kind.LOST: "the API server fails when the operator {effect}",
}
_PERFORMED: Final = frozenset({Kind.EFFECT, Kind.LATE, Kind.REPEAT})


def _look(model: Model, node: Node) -> str:
    memory = model.memories[node.memory].remembered()
    observation = observe(model.store[node.view], memory, NOW)
    if observation is None:
        return "the operator looks and finds the GatewayCanary gone"
    try:
        return f'the operator looks and decides: "{decide(observation).summary}"'
    except Exception as error:  # noqa: BLE001 - this is what was found, and it is told
        return f"the operator looks and fails: {error!r}"


def _is_refused(model: Model, before: Node, move: Move, under: Under) -> bool:
    if move.kind not in _PERFORMED:
        return False
    view, memory = before.view, before.memory
    if move.kind is Kind.LATE:
        late = model.lates[before.late]
        view, memory = late.view, late.memory
    done = model.plans.perform(under, truth=before.truth, view=view, memory=memory)
    return done.step is None


def effect_words(effect: Effect) -> str:
    """Tell what an effect does: `the operator …`."""
    if isinstance(effect, StatusWrite):
        state = effect.status.state
        written = ", stable written" if state.stable_written else ""
        return (
            f"stores its status: {effect.status.phase}, stage {state.stage}, "
            f"{state.announced} % announced, {state.recorded} % recorded{written}"
        )
    return _action_words(effect)


def _action_words(action: Action) -> str:
    match action:
        case actions.RaiseWeight(weight=weight):
            told = f"writes {weight} % into the route"
        case actions.WithdrawWeight(mark=mark):
            told = "writes 0 % into the route" + (", marked as turned back" if mark else "")
        case actions.SetStableImage(image=image):
            told = f"gives stable the image {_tag(image)}"
        case actions.CreateCanary(replicas=replicas):
            told = f"creates the canary Deployment with {replicas} pods"
        case actions.ScaleCanary(replicas=replicas):
            told = f"scales the canary to {replicas} pods"
        case actions.AdvanceTests(weight=weight, run=run):
            told = f"starts the test at {weight} %, run {run}"
        case _:
            told = _PLAIN[type(action)]
    return told


_PLAIN: Final[dict[type, str]] = {
    actions.RestoreRoute: "takes its destination out of the route",
    actions.DisownRoute: "gives the route back to its owner",
    actions.AddFinalizer: "adds its finalizer",
    actions.RemoveFinalizer: "takes its finalizer away",
    actions.CreateCanaryService: "creates the canary Service",
    actions.DeleteCanary: "deletes the canary Deployment and Service",
    actions.HoldAutoscaler: "holds stable's autoscaler",
    actions.ReleaseAutoscaler: "lets stable's autoscaler go",
    actions.LoadTests: "reads the release's tests",
    actions.ReadTestLog: "reads the failed test's log",
    actions.DeleteTests: "deletes the tests' objects",
}


def _sights(model: Model, node: Node) -> str:
    """Tell what stands in the cluster, in one line."""
    picture = model.store[node.truth]
    parts = (_resource(picture), _stable(picture), _canary(picture), _route(picture))
    return ", ".join(part for part in parts if part)


def _resource(picture: Picture) -> str:
    if picture.resource is None:
        return "no GatewayCanary"
    stage = parse_status(picture.resource.status).state.stage
    asked = "being deleted" if picture.resource.deleting else ""
    stored = "" if stage is Stage.RESTING else f"stored stage {stage}"
    return ", ".join(part for part in (asked, stored) if part)


def _stable(picture: Picture) -> str:
    if picture.stable is None:
        return "no stable Deployment"
    return f"stable {_tag(picture.stable.image)} with {picture.stable_ready} ready"


def _canary(picture: Picture) -> str:
    return f"canary with {picture.canary_pods.ready} ready" if picture.canary else "no canary"


def _route(picture: Picture) -> str:
    route = picture.route
    return f"{route.weight} % to the canary" if route.attached else "route as found"


def _tag(image: str) -> str:
    return image.rpartition(":")[2]
