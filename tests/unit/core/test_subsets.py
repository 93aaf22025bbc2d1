"""In a mesh with one host the DestinationRule says which label tells the two sides apart."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.istio import destination_rule
from gatewaycanary.core.labels import label_of
from gatewaycanary.core.manifests import canary_service
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import CanaryLabel
from gatewaycanary.core.writes import Object
from unit.core.findings import found
from unit.core.objects import OWN, cache, canary, deployment, parsed, service

LABELS = {"app": "web", "track": "stable"}
TRAFFIC = {"istio": {"virtualService": "web", "subsets": {"stable": "stable", "canary": "canary"}}}
STABLE = {"name": "stable", "labels": {"track": "stable"}}
CANARY = {"name": "canary", "labels": {"track": "next"}}


def label(*rules: Object, **spec: Any) -> CanaryLabel | Problem | None:
    """Find the label of a canary in such a mesh."""
    _, read = parsed(canary(traffic=TRAFFIC, **spec))
    stable = deployment(labels=LABELS)
    lookup = cache(*rules)
    return label_of(read, lookup, deployment=stable, service=service(selector={"app": "web"}))


def refusal(*rules: Object, **spec: Any) -> Problem:
    """Find what is wrong."""
    found = label(*rules, **spec)
    assert isinstance(found, Problem)
    return found


def test_the_subsets_say_the_label() -> None:
    """The canary's pods get the canary subset's value, whatever it is called."""
    found = label(destination_rule("web", "web.shop.svc.cluster.local", STABLE, CANARY))
    assert found == CanaryLabel(key="track", stable="stable", canary="next")


def test_the_canary_service_selects_the_canary_alone() -> None:
    """Stable's selects both sides and lacks the label, which the canary's must have.

    So must it have the revision: pods of an earlier rollout may still be there.
    """
    found = label(destination_rule("web", "web", STABLE, CANARY))
    assert isinstance(found, CanaryLabel)
    made = canary_service(
        service(selector={"app": "web"}),
        name="web-canary",
        label=found,
        uid="u",
        canary="web",
        revision="r",
    )
    assert made["spec"]["selector"] == {
        "app": "web",
        "track": "next",
        "canary.soma.dev/revision": "r",
    }


@pytest.mark.parametrize(
    ("rules", "reason", "field"),
    [
        ([], "DestinationRuleMissing", ""),
        ([destination_rule("other", "other", STABLE, CANARY)], "DestinationRuleMissing", ""),
        ([destination_rule("web", "web", STABLE)], "SubsetMissing", "spec.subsets"),
        (
            [destination_rule("web", "web", {"name": "stable", "labels": {"a": "b"}}, CANARY)],
            "SubsetLabelUnfit",
            "spec.subsets[0].labels",
        ),
        (
            [destination_rule("web", "web", STABLE, {"name": "canary", "labels": LABELS})],
            "SubsetLabelUnfit",
            "spec.subsets[1].labels",
        ),
        (
            [destination_rule("web", "web", STABLE, {"name": "canary", "labels": {"v": "2"}})],
            "SubsetLabelUnfit",
            "spec.subsets[1].labels",
        ),
        ([destination_rule("web", "web", STABLE, {"name": "canary"})], "SubsetLabelUnfit", None),
    ],
)
def test_what_the_destination_rule_must_say(
    rules: list[Object], reason: str, field: str | None
) -> None:
    """What is missing or unfit is named with its place."""
    problem = refusal(*rules)
    assert problem.reason == reason
    assert field is None or problem.field == field


def test_a_chosen_label_must_be_theirs() -> None:
    """spec.canary.selectorLabel cannot say another label than the subsets."""
    rule = destination_rule("web", "web", STABLE, CANARY)
    assert refusal(rule, canary={"selectorLabel": "app"}).reason == "SubsetLabelUnfit"
    assert isinstance(label(rule, canary={"selectorLabel": "track"}), CanaryLabel)


def test_the_one_service_may_select_both_sides() -> None:
    """The stable Service catches the canary there, which is what it must do; others must not."""
    rule = destination_rule("web", "web", STABLE, CANARY)
    stable = deployment(labels=LABELS)
    both = service(selector={"app": "web"})
    assert found(stable, both, rule, traffic=TRAFFIC) == ()
    other = service("other", selector={"app": "web"})
    reasons = [one.reason for one in found(stable, both, other, rule, traffic=TRAFFIC)]
    assert reasons == ["ServiceCatchesCanary"]


def test_the_one_service_must_select_both_sides() -> None:
    """One that selects by the subsets' label would never send to the canary."""
    rule = destination_rule("web", "web", STABLE, CANARY)
    [problem] = found(deployment(labels=LABELS), service(selector=LABELS), rule, traffic=TRAFFIC)
    assert (problem.reason, problem.field) == ("ServiceExcludesCanary", "spec.selector[track]")


def test_nothing_is_said_of_a_kind_that_is_not_installed() -> None:
    """That istio is not installed is told by the provider, and nothing besides."""
    lookup = cache()
    lookup.unknown.add("DestinationRule")
    _, read = parsed(canary(traffic=TRAFFIC))
    stable, behind = deployment(labels=LABELS), service(own=OWN)
    assert label_of(read, lookup, deployment=stable, service=behind) is None
