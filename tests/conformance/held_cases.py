"""What providers promise of routes that people hold, beyond what all promise."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from conformance.benches import HeldBench
from conformance.stages import Stage
from gatewaycanary.core.naming import FIELD_MANAGER, WITHDRAWN_ANNOTATION
from gatewaycanary.core.writes import pointer

MARK = "abc-1"


def bench_of(stage: Stage) -> HeldBench:
    """Give the bench as one of a route that a person holds."""
    assert isinstance(stage.bench, HeldBench)
    return stage.bench


def rewrite(stage: Stage, rules: list[dict[str, Any]]) -> None:
    """Write the rules as a tool does that applies its manifest."""
    bench = bench_of(stage)
    metadata = bench.route(stage.documents)["metadata"]
    change = {"op": "add", "path": pointer("spec", bench.rules), "value": rules}
    stage.documents.edit(bench.context_kind, metadata["namespace"], metadata["name"], change)


def rules_of(stage: Stage) -> list[dict[str, Any]]:
    """Copy the rules as they stand."""
    bench = bench_of(stage)
    return copy.deepcopy(bench.route(stage.documents)["spec"][bench.rules])


def with_destination(stage: Stage, destination: dict[str, Any]) -> None:
    """Let the first rule send to one destination more, beside all the rest."""
    rules = rules_of(stage)
    found = bench_of(stage).destinations(rules[0])
    found[0].setdefault("weight", 100)
    found.append(destination)
    rewrite(stage, rules)


def explicit_zero_is_found_and_left(stage: Stage) -> None:
    """A canary that the user names with weight 0 is taken, and is there at 0 afterwards."""
    with_destination(stage, bench_of(stage).canary_destination(weight=0))
    before = stage.documents.snapshot()
    view = stage.view
    assert (view.attached, view.weight, view.zero_at_start, view.pristine) == (True, 0, True, True)
    assert not stage.problems()
    stage.raise_to(25)
    assert stage.shares() == ({25}, {0})
    stage.withdraw(MARK)
    assert stage.view.left
    assert stage.restore()
    assert stage.documents.snapshot() == before


def weight_before_a_rollout_is_refused(stage: Stage) -> None:
    """A canary with a share before any rollout would get requests while there is none."""
    with_destination(stage, bench_of(stage).canary_destination(weight=10))
    assert [problem.reason for problem in stage.problems()] == ["CanaryHasWeight"]
    assert stage.problems()[0].field.endswith(".weight")


def reapplied_route_is_pristine(stage: Stage) -> None:
    """A tool's new apply takes our destination out: drift, put back and at last left as it was."""
    found = rules_of(stage)
    before = stage.documents.snapshot()
    stage.raise_to(25)
    raised = stage.view
    rewrite(stage, found)
    assert (raised.pristine, stage.view.pristine) == (False, True)
    assert stage.raise_to(25)
    assert stage.shares() == ({25}, {0})
    stage.restore()
    assert stage.documents.snapshot() == before


def reapplied_route_with_a_mark_is_withdrawn(stage: Stage) -> None:
    """The mark of a revert outlives a tool's new apply, and is no drift."""
    found = rules_of(stage)
    stage.raise_to(25)
    stage.withdraw(MARK)
    rewrite(stage, found)
    assert (stage.view.withdrawn, stage.view.pristine) == (MARK, False)
    assert stage.view.left
    stage.restore()
    assert stage.view.withdrawn == ""


def changed_route_is_kept(stage: Stage) -> None:
    """What an upgrade changes besides is kept, and found anew for the end."""
    stage.raise_to(25)
    upgraded = rules_of(stage)[::-1]
    for rule in upgraded:
        listed = bench_of(stage).destinations(rule)
        listed[:] = [one for one in listed if "canary" not in str(one)]
    rewrite(stage, upgraded)
    before = stage.documents.snapshot()
    stage.raise_to(25)
    assert stage.shares() == ({25}, {0})
    stage.restore()
    assert stage.documents.snapshot() == before


def third_destination_is_refused(stage: Stage) -> None:
    """Weights are shared by two; the third is named by its place, and nothing is raised."""
    with_destination(stage, bench_of(stage).foreign_destination())
    [problem] = stage.problems()
    assert problem.reason == "ThirdDestination"
    rule = bench_of(stage).rules
    assert problem.field.startswith(f"spec.{rule}[0].")
    assert problem.field.endswith("[1]")
    assert not stage.raise_to(5)


def third_destination_hinders_no_revert(stage: Stage) -> None:
    """One that comes in mid-ramp keeps its share; the canary's goes to stable."""
    stage.raise_to(50)
    with_destination(stage, bench_of(stage).foreign_destination())
    assert stage.view.weight is None
    stage.withdraw(MARK)
    assert stage.shares() == ({0}, {0})


def named_rules_alone_are_shifted(stage: Stage) -> None:
    """Where the spec names rules, the others stay on stable."""
    name = rules_of(stage)[1]["name"]
    bench = bench_of(stage)
    context = replace(bench.context, rules=(name,))
    write = bench.provider.raise_weight(context, stage.documents, weight=25)
    assert write is not None
    stage.documents.apply(write)
    assert stage.shares()[0] == {0, 25}


def renamed_rules_come_home(stage: Stage) -> None:
    """A rule whose name goes out of the spec in mid-ramp is shifted on, and left as found."""
    before = stage.documents.snapshot()
    stage.raise_to(25)
    name = rules_of(stage)[0]["name"]
    context = replace(stage.context, rules=(name,))
    provider = bench_of(stage).provider
    write = provider.raise_weight(context, stage.documents, weight=50)
    assert write is not None
    stage.documents.apply(write)
    assert stage.shares() == ({50}, {0})
    withdrawal = provider.withdraw(context, stage.documents, mark=MARK)
    assert withdrawal is not None
    stage.documents.apply(withdrawal)
    assert stage.shares() == ({0}, {0})
    restored = provider.restore(context, stage.documents)
    assert restored is not None
    stage.documents.apply(restored)
    assert stage.documents.snapshot() == before


def unknown_names_are_refused(stage: Stage) -> None:
    """A name that no rule bears, and one of a rule that does not send to stable, are told apart."""
    bench = bench_of(stage)
    names = [rule["name"] for rule in rules_of(stage)]
    context = replace(bench.context, rules=("nowhere", names[-1]))
    found = bench.provider.problems(context, stage.documents)
    assert [problem.reason for problem in found] == ["RuleMissing", "RuleNotToStable"]
    assert names[0] in found[0].message


def no_rule_to_stable_is_refused(stage: Stage) -> None:
    """A route that sends to others alone says where it sends."""
    rewrite(stage, rules_of(stage)[-1:])
    [problem] = stage.problems()
    assert problem.reason == "RouteHasNoRule"
    assert "pay" in problem.message
    assert not stage.view.attached
    assert not stage.raise_to(5)


def missing_definition_is_told(stage: Stage) -> None:
    """A provider that is not installed is told in those words."""
    kind = bench_of(stage).context_kind
    stage.documents.unknown.add(kind)
    found = stage.problems()
    assert [problem.reason for problem in found] == ["ProviderNotInstalled"]
    assert "is not installed" in found[0].message
    assert kind in found[0].message


def odd_shapes_are_read(stage: Stage) -> None:
    """Whatever a stored route holds, it is read, and nothing of it is lost."""
    odds: tuple[Any, ...] = (None, "x", 3, [None], [{}], [{"route": 3, "backendRefs": "x"}], {})
    for odd in odds:
        rewrite(stage, odd)
        before = stage.documents.snapshot()
        assert not stage.view.attached
        assert stage.problems()
        assert not stage.raise_to(5)
        assert not stage.withdraw(MARK)
        assert not stage.restore()
        assert stage.documents.snapshot() == before


def annotations_that_come_meanwhile_stay(stage: Stage) -> None:
    """The mark sweeps no annotation away that somebody added since the cache was read."""
    metadata = bench_of(stage).route(stage.documents)["metadata"]
    kind = bench_of(stage).context_kind
    place = (kind, metadata["namespace"], metadata["name"])
    stage.documents.edit(*place, {"op": "remove", "path": "/metadata/annotations"})
    stage.raise_to(50)
    withdrawal = stage.withdrawing(MARK)
    assert withdrawal is not None
    stage.documents.apply(withdrawal)
    assert stage.view.withdrawn == MARK
    annotations = bench_of(stage).route(stage.documents)["metadata"]["annotations"]
    assert set(annotations) == {WITHDRAWN_ANNOTATION}


def status_writes_are_no_new_version(stage: Stage) -> None:
    """A gateway that tells what it has read must not have one drift counted twice."""
    stage.raise_to(5)
    before = stage.view.version
    metadata = bench_of(stage).route(stage.documents)["metadata"]
    place = (bench_of(stage).context_kind, metadata["namespace"], metadata["name"])
    stage.documents.edit(*place, {"op": "add", "path": "/status", "value": {"parents": []}})
    assert stage.view.version == before


def our_claim_is_given_up(stage: Stage) -> None:
    """Our entry goes out of the managedFields, and who held the rules holds them again."""
    bench = bench_of(stage)
    metadata = bench.route(stage.documents)["metadata"]
    place = (bench.context_kind, metadata["namespace"], metadata["name"])
    path = "/metadata/managedFields"
    helm = {
        "manager": "helm",
        "operation": "Apply",
        "apiVersion": "x/v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {f"f:{bench.rules}": {}, "f:hosts": {}}},
    }
    stage.documents.edit(*place, {"op": "add", "path": path, "value": [helm]})
    stage.raise_to(5)
    ours = {"manager": FIELD_MANAGER, "operation": "Update", "fieldsV1": {"f:spec": {}}}
    robbed = {**helm, "fieldsV1": {"f:spec": {"f:hosts": {}}}}
    stage.documents.edit(*place, {"op": "add", "path": path, "value": [ours, robbed]})
    assert stage.view.claimed
    write = bench.provider.disown(stage.context, stage.documents)
    assert write is not None
    stage.documents.apply(write)
    assert bench.route(stage.documents)["metadata"]["managedFields"] == [helm]
    assert bench.provider.disown(stage.context, stage.documents) is None


CHECKS = (
    explicit_zero_is_found_and_left,
    weight_before_a_rollout_is_refused,
    reapplied_route_is_pristine,
    reapplied_route_with_a_mark_is_withdrawn,
    changed_route_is_kept,
    third_destination_is_refused,
    third_destination_hinders_no_revert,
    named_rules_alone_are_shifted,
    renamed_rules_come_home,
    unknown_names_are_refused,
    no_rule_to_stable_is_refused,
    missing_definition_is_told,
    odd_shapes_are_read,
    annotations_that_come_meanwhile_stay,
    status_writes_are_no_new_version,
    our_claim_is_given_up,
)
