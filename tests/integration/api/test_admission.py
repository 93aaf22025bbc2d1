"""What the API server takes and refuses, in which words, and that Python says the same."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from gatewaycanary.api.problems import SpecInvalid
from gatewaycanary.api.spec import parse
from integration.api.canaries import Canaries, Causes, Refusal, RefusedError
from integration.api.cases import BASE, GATEWAY_API, VALID, Case, changed, istio
from integration.api.refusals import INVALID, UNCHECKED

pytestmark = pytest.mark.apiserver

ANEW = "delete this GatewayCanary (traffic returns to stable) and create it anew"


def refused(canaries: Canaries, spec: dict[str, Any], *, name: str | None = None) -> Refusal:
    """Try to create a GatewayCanary and give the API server's answer."""
    with pytest.raises(RefusedError) as caught:
        canaries.create(spec, name=name)
    return caught.value.refusal


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_a_valid_spec_is_taken_by_both(canaries: Canaries, case: Case) -> None:
    """The API server stores it, and what it stored reads as what was written."""
    stored = canaries.create(case.spec)
    assert parse(stored["spec"]) == parse(case.spec)


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_invalid_spec_is_refused_with_these_words(canaries: Canaries, case: Case) -> None:
    """The API server names each field and says what to do about it."""
    refusal = refused(canaries, case.spec)
    assert refusal.code == 422
    assert refusal.causes == case.causes


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_python_refuses_the_same_at_the_same_field(canaries: Canaries, case: Case) -> None:
    """Every problem that `parse` finds is one of the API server's; a rule's words are the same."""
    causes = refused(canaries, case.spec).causes
    with pytest.raises(SpecInvalid) as caught:
        parse(case.spec)
    for field, message in caught.value.problems:
        assert field in dict(causes)
        if UNCHECKED not in causes:
            assert any(said.endswith(message) for where, said in causes if where == field)


def test_an_unknown_field_is_refused(canaries: Canaries) -> None:
    """A misspelt field is an error for strict clients, as kubectl and Helm are, and for `parse`."""
    spec = changed(BASE, {"step": [], "canary": {"replica": 1}})
    refusal = refused(canaries, spec)
    assert refusal.code == 400
    assert 'unknown field "spec.canary.replica", unknown field "spec.step"' in refusal.message
    with pytest.raises(SpecInvalid) as caught:
        parse(spec)
    assert set(caught.value.problems) == {
        ("spec.canary.replica", "is not a known field"),
        ("spec.step", "is not a known field"),
    }


def test_a_name_that_makes_no_label_is_refused(canaries: Canaries) -> None:
    """A GatewayCanary's name is at most as long as a label's value."""
    refusal = refused(canaries, BASE, name="a" * 64)
    assert refusal.causes == (
        (
            "<nil>",
            (
                "Invalid value: metadata.name may have at most 63 characters: "
                "it becomes a label's value"
            ),
        ),
    )
    assert canaries.create(BASE, name="a" * 63)["metadata"]["name"] == "a" * 63


def test_kubectl_shows_the_message(canaries: Canaries, kubectl: tuple[str, ...]) -> None:
    """What a person reads at the terminal is the field and the way out, on one line."""
    manifest = {
        "apiVersion": "canary.soma.dev/v1alpha1",
        "kind": "GatewayCanary",
        "metadata": {"name": "typo", "namespace": canaries.namespace},
        "spec": changed(BASE, {"steps": [{"weight": 5}]}),
    }
    said = subprocess.run(
        [*kubectl, "apply", "-f", "-"],
        input=yaml.safe_dump(manifest),
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr == (
        'The GatewayCanary "typo" is invalid: spec.steps: Invalid value: '
        "the last step must have weight 100; promotion follows it\n"
    )


FIXED = (
    pytest.param(
        {},
        {"targetRef": {"name": "other"}},
        (
            "spec.targetRef",
            (
                "targetRef cannot change; delete this GatewayCanary (traffic returns to stable) "
                "and create one for the other workload"
            ),
        ),
        id="the target",
    ),
    pytest.param(
        {},
        {"traffic": {"nginx": {"ingress": "other"}}},
        ("spec.traffic.nginx.ingress", f'"other": the Ingress cannot change; {ANEW}'),
        id="the Ingress",
    ),
    pytest.param(
        istio(),
        istio(virtualService="other"),
        (
            "spec.traffic.istio.virtualService",
            f'"other": the VirtualService cannot change; {ANEW}',
        ),
        id="the VirtualService",
    ),
    pytest.param(
        GATEWAY_API,
        {"traffic": {"gatewayAPI": {"httpRoute": "other"}}},
        ("spec.traffic.gatewayAPI.httpRoute", f'"other": the HTTPRoute cannot change; {ANEW}'),
        id="the HTTPRoute",
    ),
    pytest.param(
        {},
        GATEWAY_API,
        ("spec.traffic", f"the provider cannot change; {ANEW}"),
        id="the provider",
    ),
)


@pytest.mark.parametrize(("before", "change", "expected"), FIXED)
def test_what_holds_the_traffic_cannot_change(
    canaries: Canaries, before: dict[str, Any], change: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Target and route are fixed: a change would leave traffic where nobody looks after it."""
    stored = canaries.create(changed(BASE, before))
    stored["spec"] = changed(stored["spec"], change)
    with pytest.raises(RefusedError) as caught:
        canaries.replace(stored)
    field, message = expected
    assert caught.value.refusal.causes == ((field, f"Invalid value: {message}"),)


def test_a_defaulted_target_may_be_written_out(canaries: Canaries) -> None:
    """Spelling out a default of targetRef is no change."""
    stored = canaries.create(BASE)
    stored["spec"]["targetRef"] = {"name": "soma-gateway"}
    assert canaries.replace(stored)["spec"]["targetRef"]["kind"] == "Deployment"


CHANGEABLE: tuple[dict[str, Any], ...] = (
    {"image": "registry.example/soma-gateway:3.0.0"},
    {"steps": [{"weight": 50, "hold": "1m"}, {"weight": 100}]},
    {"traffic": {"settle": "0s"}},
    {"suspend": True},
    {"service": {"stable": "web"}},
    {"tests": [{"helm": {"release": "soma"}}]},
)


@pytest.mark.parametrize("change", CHANGEABLE, ids=lambda change: next(iter(change)))
def test_the_rest_may_change(canaries: Canaries, change: dict[str, Any]) -> None:
    """Any other field may be edited, and each edit is a new generation."""
    stored = canaries.create(BASE)
    stored["spec"] = changed(stored["spec"], change)
    assert canaries.replace(stored)["metadata"]["generation"] == 2


def test_the_table_is_large_enough() -> None:
    """At least 25 invalid resources, each under a name of its own, each with its words."""
    names = [case.name for case in (*VALID, *INVALID)]
    words: list[Causes] = [case.causes for case in INVALID if case.causes]
    assert len(words) == len(INVALID) >= 25
    assert len(set(names)) == len(names)
