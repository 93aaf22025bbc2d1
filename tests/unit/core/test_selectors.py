"""Selectors match as Kubernetes says, and the canary's pods are caught by none of stable's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.core.observation import Problem
from gatewaycanary.core.selectors import (
    CanaryLabel,
    canary_label,
    canary_value,
    relabelled,
    rewritten,
    selects,
    service_selects,
)
from unit.core.objects import deployment, service

POD = {"app": "web", "tier": "front"}
VALUES = st.from_regex(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", fullmatch=True)
KEYS = st.sampled_from(["app", "track", "app.kubernetes.io/name", "tier"])


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """Write a selector of one expression."""
    found = {"values": list(values)} if values else {}
    return {"matchExpressions": [{"key": key, "operator": operator, **found}]}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        pytest.param(None, False, id="absent matches nothing"),
        pytest.param({}, True, id="empty matches all"),
        pytest.param({"matchLabels": {}}, True, id="no labels match all"),
        pytest.param({"matchLabels": {"app": "web"}}, True, id="label"),
        pytest.param({"matchLabels": {"app": "api"}}, False, id="other value"),
        pytest.param({"matchLabels": {"app": "web", "zone": "a"}}, False, id="one missing"),
        pytest.param(expression("app", "In", "web", "api"), True, id="in"),
        pytest.param(expression("app", "In", "api"), False, id="not among"),
        pytest.param(expression("zone", "In", "a"), False, id="in without the label"),
        pytest.param(expression("app", "NotIn", "api"), True, id="not in"),
        pytest.param(expression("app", "NotIn", "web"), False, id="not in, but is"),
        pytest.param(expression("zone", "NotIn", "a"), True, id="not in without the label"),
        pytest.param(expression("app", "Exists"), True, id="exists"),
        pytest.param(expression("zone", "Exists"), False, id="exists not"),
        pytest.param(expression("zone", "DoesNotExist"), True, id="does not exist"),
        pytest.param(expression("app", "DoesNotExist"), False, id="does not exist, but does"),
        pytest.param(expression("app", "Gt", "1"), False, id="unknown operator"),
        pytest.param(
            {"matchLabels": {"app": "web"}, **expression("tier", "In", "back")},
            False,
            id="both must hold",
        ),
    ],
)
def test_label_selector(selector: dict[str, Any] | None, *, matches: bool) -> None:
    """A LabelSelector matches when its labels and all its expressions hold."""
    assert selects(selector, POD) is matches


@pytest.mark.parametrize(
    ("selector", "matches"),
    [(None, False), ({}, False), ({"app": "web"}, True), ({"app": "web", "zone": "a"}, False)],
)
def test_service_selector(selector: dict[str, str] | None, *, matches: bool) -> None:
    """A Service without a selector selects nothing."""
    assert service_selects(selector, POD) is matches


ALL = {"track": "stable", "app.kubernetes.io/name": "web", "app": "web", "shard": "1"}


@pytest.mark.parametrize(
    ("matched", "selected", "chosen", "key"),
    [
        pytest.param(ALL, ALL, None, "track", id="track first"),
        pytest.param(ALL, {"app.kubernetes.io/name": "web", "app": "web"}, None,
                     "app.kubernetes.io/name", id="then the recommended name"),
        pytest.param(ALL, {"app": "web"}, None, "app", id="then app"),
        pytest.param(ALL, ALL, "shard", "shard", id="the chosen one"),
        pytest.param({"app": "web"}, ALL, "shard", None, id="chosen, not in matchLabels"),
        pytest.param(ALL, {"app": "web"}, "shard", None, id="chosen, not in the Service"),
        pytest.param({"shard": "1"}, {"shard": "1"}, None, None, id="shared, but not known"),
        pytest.param({"app": "web"}, {"app": "api"}, None, None, id="with other values"),
        pytest.param({"app": "web"}, {}, None, None, id="no selector"),
    ],
)  # fmt: skip
def test_canary_label(
    matched: dict[str, str], selected: dict[str, str], chosen: str | None, key: str | None
) -> None:
    """The label stands with one value in matchLabels and in the Service's selector."""
    found = canary_label(
        deployment(labels=ALL, matched=matched), service(selector=selected), chosen=chosen
    )
    assert (None if isinstance(found, Problem) else found.key) == key


def test_missing_label_says_what_to_set() -> None:
    """The problem names the object, the field, the Service and the labels to choose from."""
    shared = {"shard": "1"}
    found = canary_label(deployment(matched=shared), service(selector=shared))
    assert isinstance(found, Problem)
    assert found.sentence() == (
        "Deployment web spec.selector.matchLabels: none of track, app.kubernetes.io/name, app "
        "stands both here and in the selector of Service web, so the canary's pods could not be "
        "told from stable's; set spec.canary.selectorLabel to one of: shard"
    )


@given(value=VALUES)
def test_canary_value(value: str) -> None:
    """The canary's value is a valid label value and never stable's."""
    changed = canary_value(value)
    assert changed != value
    assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", changed)


def test_short_values_stay_readable() -> None:
    """A short value is only given an ending."""
    assert (canary_value("web"), canary_value("")) == ("web-canary", "canary")


LABEL = CanaryLabel(key="app", stable="web", canary="web-canary")


def test_rewritten_selectors() -> None:
    """Selectors at any depth aim at the canary; everything else is copied as it is."""
    term = {"labelSelector": {"matchLabels": {"app": "web", "tier": "front"}}, "topologyKey": "z"}
    pod: dict[str, Any] = {
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [term],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"labelSelector": expression(
                        "app", "In", "web", "api")}}
                ],
            },
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": {"app": "redis"}}, "topologyKey": "z"}
            ]},
        },
        "topologySpreadConstraints": [
            {"labelSelector": {"matchLabels": {"app": "web"}}, "matchLabelKeys": ["app"]}
        ],
        "containers": [{"name": "web", "env": [{"name": "app", "value": "web"}]}],
    }  # fmt: skip
    changed = rewritten(pod, LABEL)
    anti = changed["affinity"]["podAntiAffinity"]
    required = anti["requiredDuringSchedulingIgnoredDuringExecution"]
    preferred = anti["preferredDuringSchedulingIgnoredDuringExecution"]
    assert required[0]["labelSelector"]["matchLabels"] == {"app": "web-canary", "tier": "front"}
    assert preferred[0]["podAffinityTerm"]["labelSelector"] == expression(
        "app", "In", "web-canary", "api"
    )
    assert changed["affinity"]["podAffinity"] == pod["affinity"]["podAffinity"]
    spread = changed["topologySpreadConstraints"][0]
    assert spread["labelSelector"]["matchLabels"] == {"app": "web-canary"}
    assert spread["matchLabelKeys"] == ["app"]
    assert changed["containers"] == pod["containers"]
    assert required[0]["labelSelector"] is not term["labelSelector"]


@given(
    labels=st.dictionaries(KEYS, VALUES, min_size=1),
    extra=st.dictionaries(st.sampled_from(["env", "zone"]), VALUES),
)
def test_canary_is_caught_by_none_of_stables(labels: dict[str, str], extra: dict[str, str]) -> None:
    """With any labels, pods of the canary match the canary's selector and never stable's."""
    stable = deployment(labels={**labels, **extra}, matched=labels)
    behind = service(selector=labels)
    found = canary_label(stable, behind)
    if isinstance(found, Problem):
        assert not set(labels) & {"track", "app", "app.kubernetes.io/name"}
        return
    pods = relabelled({**labels, **extra}, found)
    assert not selects(stable["spec"]["selector"], pods)
    assert not service_selects(behind["spec"]["selector"], pods)
    assert selects(rewritten(stable["spec"]["selector"], found), pods)
