"""What is created of a hook is the hook, made safe and aimed."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.core.naming import (
    CANARY_LABEL,
    OWNER_LABEL,
    REVISION_LABEL,
    RUN_LABEL,
    TEST_LABEL,
)
from gatewaycanary.core.selectors import service_selects
from gatewaycanary.helmtests import render
from unit.helmtests.objects import KEY, UID, Json, aim, hook, manifest

DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAMES = ("gateway", "gateway.shop", "gateway.shop.svc", "gateway.shop.svc.cluster.local")


def rendered(written: Json, **options: Any) -> Json:
    """Render a hook of this manifest."""
    kind, name = written["kind"], written["metadata"]["name"]
    options = {"key": KEY, "aim": aim(), **options}
    return render.render(hook(kind, name, written=written), **options)


def environment(container: Json) -> dict[str, Any]:
    """Give a container's variables by name."""
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def test_pod_is_ours() -> None:
    """A test pod says whose it is, which run's and which hook's, and goes with the canary."""
    made = rendered(manifest(labels={"team": "a"}))
    assert made["metadata"]["namespace"] == "shop"
    assert made["metadata"]["labels"] == {
        "team": "a",
        OWNER_LABEL: UID,
        CANARY_LABEL: "gateway",
        REVISION_LABEL: "abc-1",
        RUN_LABEL: "abc-1-25-0-1",
        TEST_LABEL: "smoke",
    }
    (owner,) = made["metadata"]["ownerReferences"]
    assert owner == {
        "apiVersion": "canary.soma.dev/v1alpha1",
        "kind": "GatewayCanary",
        "name": "gateway",
        "uid": UID,
    }
    assert made["metadata"]["annotations"] == {"helm.sh/hook": "test"}


def test_the_rest_is_as_written() -> None:
    """Everything that is not named in the module's docstring is as the chart wrote it."""
    written = manifest()
    made = rendered(written, aim=aim("gateway"))
    assert made["spec"].pop("activeDeadlineSeconds") == 300
    for container in made["spec"]["containers"]:
        container.pop("env")
    assert made["spec"] == written["spec"]
    assert made["spec"]["restartPolicy"] == "Never"


def test_only_what_a_chart_may_say_of_metadata_is_kept() -> None:
    """A name pattern, a finalizer or another owner in the chart does not reach the cluster."""
    written = manifest()
    written["metadata"] |= {"generateName": "x-", "finalizers": ["a/b"], "ownerReferences": [{}]}
    made = rendered({**written, "status": {"phase": "Succeeded"}})
    assert set(made["metadata"]) == {
        "name",
        "namespace",
        "labels",
        "annotations",
        "ownerReferences",
    }
    assert "status" not in made


@pytest.mark.parametrize(
    ("written", "timeout", "deadline"),
    [(None, 300, 300), (30, 300, 30), (900, 300, 300), (0, 60, 60), ("x", 60, 60), (None, 0.2, 1)],
)
def test_deadline(written: object, timeout: float, deadline: int) -> None:
    """There is always a deadline, none is longer than the suite's time, and a Job keeps its log."""
    pod = manifest()
    job = manifest("Job")
    if written is not None:
        pod["spec"]["activeDeadlineSeconds"] = written
        job["spec"]["activeDeadlineSeconds"] = written
    limit = replace(aim(), timeout=timedelta(seconds=timeout))
    assert rendered(pod, aim=limit)["spec"]["activeDeadlineSeconds"] == deadline
    made = rendered(job, aim=limit)["spec"]
    longest = max(1, int(timeout))
    assert made["template"]["spec"]["activeDeadlineSeconds"] == longest
    assert made["activeDeadlineSeconds"] == (deadline if deadline < longest else longest + 30)


def test_environment() -> None:
    """Every container, init containers too, is told of the rollout; the chart's own stay."""
    pod = manifest()
    pod["spec"]["initContainers"] = [{"name": "setup", "image": "toolbox"}]
    pod["spec"]["containers"][0]["env"] = [
        {"name": "URL", "value": "http://$(GATEWAYCANARY_CANARY_HOST)"},
        {"name": "GATEWAYCANARY_WEIGHT", "value": "forged"},
    ]
    made = rendered(pod)
    ours = {
        "GATEWAYCANARY_NAME": "gateway",
        "GATEWAYCANARY_STEP": "3/6",
        "GATEWAYCANARY_WEIGHT": "25",
        "GATEWAYCANARY_IMAGE": "example/gateway:2",
        "GATEWAYCANARY_CANARY_HOST": "gateway-canary.shop.svc.cluster.local",
        "GATEWAYCANARY_STABLE_HOST": "10.0.0.1",
    }
    assert environment(made["spec"]["initContainers"][0]) == ours
    variables = made["spec"]["containers"][0]["env"]
    assert variables[-1] == {"name": "URL", "value": "http://$(GATEWAYCANARY_CANARY_HOST)"}
    assert environment(made["spec"]["containers"][0])["GATEWAYCANARY_WEIGHT"] == "25"
    assert len(variables) == len(ours) + 1


@pytest.mark.parametrize("target", ["stable", "gateway"])
def test_stable_host_is_a_name_where_names_lead_to_stable(target: render.Target) -> None:
    """Only where the names lead to the canary is stable told by its address."""
    variables = environment(rendered(manifest(), aim=aim(target))["spec"]["containers"][0])
    assert variables["GATEWAYCANARY_STABLE_HOST"] == "gateway.shop.svc.cluster.local"


def test_aimed_at_the_canary() -> None:
    """All four names of the stable Service lead to every address of the canary's."""
    aliases = rendered(manifest())["spec"]["hostAliases"]
    assert aliases == [
        {"ip": "10.0.0.2", "hostnames": list(NAMES)},
        {"ip": "fd00::2", "hostnames": list(NAMES)},
    ]


def test_own_aliases_stay_but_for_these_names() -> None:
    """The chart's own host aliases stay, except where they name the stable Service."""
    pod = manifest()
    pod["spec"]["hostAliases"] = [
        {"ip": "10.9.9.9", "hostnames": ["mail", "gateway"]},
        {"ip": "10.9.9.8", "hostnames": ["gateway.shop.svc"]},
    ]
    aliases = rendered(pod)["spec"]["hostAliases"]
    assert aliases[2:] == [{"ip": "10.9.9.9", "hostnames": ["mail"]}]


@pytest.mark.parametrize("target", ["stable", "gateway"])
def test_not_aimed(target: render.Target) -> None:
    """A test of stable, or through the gateway, resolves names as ever."""
    assert "hostAliases" not in rendered(manifest(), aim=aim(target))["spec"]


@pytest.mark.parametrize(
    ("target", "sidecar", "marked"),
    [
        ("canary", True, False),
        ("canary", False, True),
        ("stable", False, True),
        ("gateway", False, False),
    ],
)
def test_sidecar(target: render.Target, sidecar: bool, marked: bool) -> None:
    """No proxy of a mesh may take an aimed test elsewhere; others keep theirs."""
    for written in (manifest(), manifest("Job")):
        made = rendered(written, aim=aim(target, sidecar=sidecar))
        pod = made if written["kind"] == "Pod" else made["spec"]["template"]
        found = {field: pod["metadata"].get(field) or {} for field in ("labels", "annotations")}
        for values in found.values():
            assert (values.get("sidecar.istio.io/inject") == "false") is marked


def test_job() -> None:
    """A Job's pods carry our labels, the environment and the aim; the Job outlives its end."""
    written = manifest("Job", labels={"app": "gateway"})
    written["spec"]["ttlSecondsAfterFinished"] = 0
    written["spec"]["template"]["metadata"] = {"labels": {"app": "gateway", "team": "a"}}
    made = rendered(written, selectors=[{"app": "gateway"}])
    template = made["spec"]["template"]
    assert "ttlSecondsAfterFinished" not in made["spec"]
    assert "app" not in template["metadata"]["labels"]
    assert template["metadata"]["labels"]["team"] == "a"
    assert template["metadata"]["labels"][RUN_LABEL] == KEY.label
    assert template["spec"]["hostAliases"][0]["ip"] == "10.0.0.2"
    assert "GATEWAYCANARY_NAME" in environment(template["spec"]["containers"][0])
    assert made["metadata"]["labels"]["app"] == "gateway"


def test_supporting_objects_keep_their_names() -> None:
    """A ConfigMap is created as written, under its own name, marked as ours."""
    written = manifest("ConfigMap", "data", data={"a": "1"})
    made = rendered(written)
    assert made["metadata"]["name"] == "data"
    assert made["data"] == {"a": "1"}
    assert made["metadata"]["labels"][OWNER_LABEL] == UID
    assert "spec" not in made


def test_starter_chart_is_no_endpoint() -> None:
    """Helm's own starter test carries the selector's labels; it loses one of them only."""
    selector = {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "shop"}
    labels = rendered(manifest(labels=selector), selectors=[selector])["metadata"]["labels"]
    assert not service_selects(selector, labels)
    assert labels["app.kubernetes.io/instance"] == "shop"


def test_services_without_selector_select_nothing() -> None:
    """A Service without a selector, or with an empty one, costs no label."""
    labels = rendered(manifest(labels={"app": "x"}), selectors=[None, {}])["metadata"]["labels"]
    assert labels["app"] == "x"


LABELS = st.dictionaries(
    st.sampled_from(["app", "track", "app.kubernetes.io/name", "tier", "team"]),
    st.sampled_from(["a", "b"]),
)


@settings(deadline=None, max_examples=60)
@given(labels=LABELS, selectors=st.lists(st.none() | LABELS, max_size=8))
def test_no_service_selects_a_test(labels: Json, selectors: list[Json | None]) -> None:
    """Whatever Services there are, none selects a test pod; labels are only ever taken away."""
    for written in (manifest(labels=labels), manifest("Job")):
        if written["kind"] == "Job":
            written["spec"]["template"]["metadata"] = {"labels": labels}
        made = rendered(written, selectors=selectors)
        pod = made if written["kind"] == "Pod" else made["spec"]["template"]
        kept = pod["metadata"]["labels"]
        assert not any(service_selects(selector, kept) for selector in selectors)
        assert kept[OWNER_LABEL] == UID
        assert all(labels.get(key) == value for key, value in kept.items() if key in labels)
        if not any(service_selects(selector, labels) for selector in selectors):
            assert labels.items() <= kept.items()


HOOK_NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,80}[a-z0-9])?", fullmatch=True).filter(
    lambda name: DNS.fullmatch(name) is not None
)
KEYS = st.builds(
    replace,
    st.just(KEY),
    revision=st.sampled_from(["abc-1", "abc-2"]),
    weight=st.integers(1, 100),
    suite=st.integers(0, 3),
    run=st.integers(1, 9),
)


@settings(deadline=None, max_examples=60)
@given(name=HOOK_NAMES, key=KEYS, other=KEYS)
def test_names(name: str, key: render.RunKey, other: render.RunKey) -> None:
    """A test's name is valid, short, the same for the same run and another for any other."""
    test = hook(name=name)
    made = render.object_name(test, key)
    assert DNS.fullmatch(made)
    assert len(made) <= 63
    assert made == render.object_name(test, key)
    assert (made == render.object_name(test, other)) == (key == other)
    for value in render.labels(test, key).values():
        assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value)


@pytest.mark.parametrize("kind", ["Pod", "Job", "ConfigMap"])
def test_a_hook_can_be_rendered_again(kind: str) -> None:
    """The hook that is held for all steps is as it was read, down to its containers."""
    written = manifest(kind, labels={"app": "gateway"})
    before = deepcopy(written)
    first = rendered(written, selectors=[{"app": "gateway"}], aim=aim(sidecar=False))
    assert written == before
    assert rendered(written, selectors=[{"app": "gateway"}], aim=aim(sidecar=False)) == first


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "template", "metadata", "labels", "annotations", "containers", "env"]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(["Pod", "Job", "Secret"]), scraps=SCRAPS, spec=SCRAPS)
def test_render_neither_raises_nor_changes_its_input(
    kind: str, scraps: object, spec: object
) -> None:
    """Whatever shape a chart's manifest has, rendering gives one and leaves the input alone."""
    written = {**manifest(kind, "odd"), "metadata": scraps, "spec": spec}
    before = deepcopy(written)
    made = render.render(hook(kind, "odd", written=written), key=KEY, aim=aim(), selectors=[{}])
    assert written == before
    assert made["metadata"]["ownerReferences"]
