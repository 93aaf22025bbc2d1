"""The spec: its defaults, its shorthands, and how it says what is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gatewaycanary.api.durations import format_duration
from gatewaycanary.api.problems import SpecInvalid
from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.api.steps import DEFAULT_STEPS, Step
from integration.api.cases import BASE, VALID, Case, changed, istio
from integration.api.refusals import INVALID

DIGEST = "sha256:" + "ab" * 32


def problems(change: dict[str, Any]) -> dict[str, str]:
    """Give what is wrong with the base spec once it is changed."""
    with pytest.raises(SpecInvalid) as caught:
        parse(changed(BASE, change))
    return dict(caught.value.problems)


def test_the_defaults_are_the_documented_ones() -> None:
    """The shortest spec means six bare weights, sized in proportion, promoted automatically."""
    spec = parse(BASE)
    assert spec.weights == (5, 10, 25, 50, 75, 100)
    assert all(step.hold is None and not step.approval for step in spec.steps)
    assert spec.progress_deadline == timedelta(minutes=10)
    assert spec.traffic.settle == timedelta(seconds=5)
    assert spec.canary.replicas == "Proportional"
    assert spec.canary.scale_down_delay == timedelta(seconds=30)
    assert not spec.canary.allow_policy_gap
    assert spec.promotion.mode == "Automatic"
    assert not spec.suspend
    assert spec.tests == ()


def test_a_suite_has_defaults() -> None:
    """A release's tests aim at the canary, once, within five minutes."""
    (suite,) = parse(changed(BASE, {"tests": [{"helm": {"release": "soma"}}]})).tests
    assert (suite.target, suite.timeout, suite.attempts) == ("canary", timedelta(minutes=5), 1)
    assert (suite.helm.include, suite.helm.exclude) == ((), ())


def test_services_default_to_the_target() -> None:
    """Stable's Service is called as the target, the canary's after it."""
    spec = parse(BASE)
    assert spec.resolved_stable_service == "soma-gateway"
    assert spec.resolved_canary_service == "soma-gateway-canary"


def test_services_are_taken_as_given() -> None:
    """A given name stands, each for itself."""
    spec = parse(changed(BASE, {"service": {"stable": "web"}}))
    assert spec.resolved_stable_service == "web"
    assert spec.resolved_canary_service == "soma-gateway-canary"
    spec = parse(changed(BASE, {"service": {"canary": "next"}}))
    assert spec.resolved_stable_service == "soma-gateway"
    assert spec.resolved_canary_service == "next"


@pytest.mark.parametrize(
    ("change", "provider", "route"),
    [
        ({}, "nginx", "soma-gateway"),
        (istio(virtualService="mesh"), "istio", "mesh"),
        (
            {"traffic": {**istio()["traffic"], "istio": None, "gatewayAPI": {"httpRoute": "web"}}},
            "gatewayAPI",
            "web",
        ),
    ],
)
def test_the_provider_is_named_as_its_field(
    change: dict[str, Any], provider: str, route: str
) -> None:
    """Exactly one provider is set, and it knows its route object."""
    traffic = parse(changed(BASE, change)).traffic
    assert traffic.provider_name == provider
    assert traffic.route_name == route


def test_a_step_is_found_by_its_weight() -> None:
    """Steps are called by their weight; a weight that is no step (any more) is a bare one."""
    steps = [{"weight": 25, "hold": "2m", "approval": True}, {"weight": 100}]
    spec = parse(changed(BASE, {"steps": steps}))
    assert spec.step(25) == Step(weight=25, hold=timedelta(minutes=2), approval=True)
    assert spec.step(50) == Step(weight=50)
    assert (spec.step(0).weight, spec.step(0).hold, spec.step(0).approval) == (0, None, False)


@pytest.mark.parametrize(
    ("change", "stable", "expected"),
    [
        ({}, "registry.example/soma-gateway:1.0.0", "registry.example/soma-gateway:2.0.0"),
        ({"image": None, "imageTag": "3"}, "localhost:5000/soma:1", "localhost:5000/soma:3"),
        (
            {"image": None, "imageTag": "3"},
            f"localhost:5000/soma:1@{DIGEST}",
            "localhost:5000/soma:3",
        ),
        ({"image": f"soma@{DIGEST}"}, "soma:1", f"soma@{DIGEST}"),
    ],
)
def test_the_desired_image(change: dict[str, Any], stable: str, expected: str) -> None:
    """An image is taken as it stands, a tag goes onto stable's repository."""
    assert parse(changed(BASE, change)).desired_image(stable) == expected


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_valid_specs_are_read(case: Case) -> None:
    """Each spec of the table is read, and reads the same once it is written out."""
    spec = parse(case.spec)
    assert parse(written(spec)) == spec


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_invalid_specs_are_refused(case: Case) -> None:
    """Each spec of the table is refused at a field that the API server names too."""
    with pytest.raises(SpecInvalid) as caught:
        parse(case.spec)
    assert {field for field, _ in caught.value.problems} <= {field for field, _ in case.causes}


def test_every_problem_is_told() -> None:
    """One reading finds the mistakes of all fields, each with its path."""
    found = problems({"steps": [{"weight": 5}, {"weight": 500}], "suspend": "no", "extra": 1})
    assert found == {
        "spec.steps[1].weight": "should be less than or equal to 100",
        "spec.suspend": "must be true or false",
        "spec.extra": "is not a known field",
    }


def test_the_error_is_a_sentence() -> None:
    """As text it is what a person needs: fields and messages."""
    with pytest.raises(SpecInvalid) as caught:
        parse(changed(BASE, {"progressDeadline": "1d", "steps": []}))
    assert str(caught.value) == (
        "spec.steps: must not be empty; leave it out for 5, 10, 25, 50, 75 and 100 %; "
        "spec.progressDeadline: must be a duration in whole h, m, s and ms, such as 30s, 2m or "
        "1h30m"
    )


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"image": ["a"]}, "spec.image", "must be a string"),
        ({"traffic": []}, "spec.traffic", "must be an object"),
        ({"steps": {"weight": 100}}, "spec.steps", "must be a list"),
        ({"steps": [{"weight": True}]}, "spec.steps[0].weight", "must be a whole number"),
        ({"progressDeadline": True}, "spec.progressDeadline", "must be a string"),
        (
            {"tests": [{"helm": {"release": "a"}, "target": "all"}]},
            "spec.tests[0].target",
            "must be 'canary', 'stable' or 'gateway'",
        ),
        ({"targetRef": {"name": None}}, "spec.targetRef.name", "is required"),
    ],
)
def test_wrong_types_are_told_in_plain_words(
    change: dict[str, Any], field: str, message: str
) -> None:
    """Nothing is converted: what has the wrong type is refused, without Python's terms."""
    assert problems(change) == {field: message}


def test_a_manifest_has_only_the_documented_names() -> None:
    """A field's Python name is unknown in a manifest, as it is to the API server."""
    assert problems({"progress_deadline": "5m"}) == {
        "spec.progress_deadline": "is not a known field"
    }


def test_an_unknown_null_is_refused() -> None:
    """A null is no value, but a field that nobody knows is a mistake with or without one."""
    assert problems({"traffic": {"nginx": {"ingress": "a", "class": None}, "istio": None}}) == {
        "spec.traffic.nginx.class": "is not a known field"
    }


def test_a_whole_number_may_be_spelled_with_a_point() -> None:
    """JSON knows one kind of number, and the API server stores 50.0 as 50."""
    spec = parse({**BASE, "steps": [{"weight": 50.0}, {"weight": 100}]})
    assert spec.weights == (50, 100)
    assert problems({"steps": [{"weight": 50.5}, {"weight": 100}]}) == {
        "spec.steps[0].weight": "must be a whole number"
    }
    # NB: where a number or a word may stand, the API server takes no point.
    assert set(problems({"canary": {"replicas": 3.0}})) == {"spec.canary.replicas"}


def test_a_spec_that_is_no_object_is_refused() -> None:
    """Whatever stands in the object's spec, the answer is SpecInvalid."""
    nonsense: Any
    for nonsense in ([], "spec", 5):
        with pytest.raises(SpecInvalid) as caught:
            parse(nonsense)
        assert caught.value.problems == (("spec", "must be an object"),)


def test_a_spec_is_frozen_and_hashable() -> None:
    """A spec that was read cannot change under a decision."""
    spec = parse(BASE)
    with pytest.raises(ValidationError, match="frozen"):
        spec.suspend = True  # type: ignore[misc]
    assert hash(spec) == hash(parse(BASE))


def test_python_may_build_a_spec_by_its_own_names() -> None:
    """Tests and tools use snake_case and timedeltas; the same rules hold."""
    assert Step(weight=5, hold=timedelta(minutes=1)).hold == timedelta(minutes=1)
    with pytest.raises(ValidationError, match="less than or equal to 100"):
        Step(weight=101)


def written(spec: GatewayCanarySpec) -> dict[str, Any]:
    """Write a spec as a manifest holds it."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
DURATIONS = st.integers(min_value=1000, max_value=10**9).map(
    lambda milliseconds: format_duration(timedelta(milliseconds=milliseconds))
)


def _part(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


SUITES = st.builds(
    lambda release, options: {"helm": {"release": release}, **options},
    LABELS,
    _part(
        target=st.sampled_from(["canary", "stable", "gateway"]),
        timeout=DURATIONS,
        attempts=st.integers(min_value=1, max_value=10),
    ),
)


@st.composite
def ramps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw steps that rise to 100, some with a hold or an approval."""
    options = _part(hold=DURATIONS, approval=st.booleans())
    weights = draw(st.sets(st.integers(min_value=1, max_value=99), max_size=12))
    return [{"weight": weight, **draw(options)} for weight in [*sorted(weights), 100]]


MANIFESTS = st.builds(
    lambda name, route, options: {
        **BASE,
        "targetRef": {"name": name},
        "traffic": {"nginx": {"ingress": route}},
        **options,
    },
    LABELS,
    LABELS,
    _part(
        steps=ramps(),
        container=LABELS,
        progressDeadline=DURATIONS,
        tests=st.lists(SUITES, max_size=4),
        suspend=st.booleans(),
        canary=_part(
            replicas=st.integers(min_value=1, max_value=99)
            | st.sampled_from(["Full", "Proportional"]),
            scaleDownDelay=DURATIONS,
        ),
    ),
)


@given(MANIFESTS)
def test_reading_and_writing_agree(manifest: dict[str, Any]) -> None:
    """A spec that is read, written out and read again is the same spec."""
    spec = parse(manifest)
    again = written(spec)
    assert parse(again) == spec
    assert written(parse(again)) == again
    assert spec.weights == tuple(step["weight"] for step in again["steps"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(
    field=st.sampled_from(sorted(GatewayCanarySpec.model_json_schema()["properties"])), value=JSON
)
def test_reading_is_total(field: str, value: Any) -> None:
    """Whatever stands in a field, the answer is a spec or SpecInvalid with a path and words."""
    found: tuple[tuple[str, str], ...] = ()
    try:
        spec = parse({**BASE, field: value})
    except SpecInvalid as error:
        spec, found = None, error.problems
    assert (spec is None) == bool(found)
    assert all(path.startswith("spec") and message for path, message in found)


def test_the_default_steps_are_bare() -> None:
    """By default no step holds and none waits for a person."""
    assert all(step == Step(weight=step.weight) for step in DEFAULT_STEPS)
