"""A release is read from its Secret, the newest revision, with its test hooks in Helm's order."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.helmtests import release
from unit.helmtests.objects import Json, hook, secret, stored_hook


def test_decode() -> None:
    """All that the tests need is read, and only the hooks of the tests."""
    stored = secret(
        stored_hook("Pod", "smoke", weight=5, delete_policies=["hook-succeeded"]),
        stored_hook("Job", "migrate", events=["pre-upgrade"]),
        revision=7,
        status="pending-upgrade",
    )
    found = release.decode(stored)
    assert (found.name, found.namespace, found.revision) == ("shop", "shop", 7)
    assert found.status == "pending-upgrade"
    assert found.secret == "sh.helm.release.v1.shop.v7"
    (smoke,) = found.hooks
    assert (smoke.kind, smoke.name, smoke.weight) == ("Pod", "smoke", 5)
    assert smoke.delete_policies == ("hook-succeeded",)
    assert smoke.is_test
    assert smoke.api_version == "v1"
    assert smoke.manifest["spec"]["containers"][0]["name"] == "test"


def test_no_policy_means_before_creation() -> None:
    """A hook without a delete policy has Helm's default."""
    for stored in (stored_hook(), stored_hook(delete_policies=[])):
        found = release.decode(secret(stored))
        assert found.hooks[0].delete_policies == ("before-hook-creation",)


def test_older_event_name_counts() -> None:
    """A hook stored by an older Helm as test-success is a test; test-failure never is."""
    stored = secret(
        stored_hook("Pod", "old", events=["test-success"]),
        stored_hook("Pod", "both", events=["post-install", "test"]),
        stored_hook("Pod", "never", events=["test-failure"]),
    )
    assert [each.name for each in release.decode(stored).hooks] == ["both", "old"]


def test_uncompressed_releases_are_read() -> None:
    """Releases stored before Helm compressed them are read as well."""
    assert release.decode(secret(stored_hook(), packed=False)).hooks[0].name == "smoke"


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"release": None},
        {"release": "%%%"},
        {"release": base64.b64encode(b"%%%").decode()},
        {"release": base64.b64encode(base64.b64encode(b"\x1f\x8b\x08broken")).decode()},
        {"release": base64.b64encode(base64.b64encode(gzip.compress(b"{}")[:-4])).decode()},
        {"release": base64.b64encode(base64.b64encode(gzip.compress(b"{}"))).decode()},
        {"release": base64.b64encode(base64.b64encode(gzip.compress(b"[1]"))).decode()},
    ],
)
def test_unreadable(data: Json | None) -> None:
    """Whatever a Secret holds, an unreadable release is told as such, by the Secret's name."""
    stored = {**secret(stored_hook()), "data": data}
    with pytest.raises(release.ReleaseError, match=r"sh\.helm\.release\.v1\.shop\.v1"):
        release.decode(stored)


def test_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small Secret that unpacks to more than is sensible is not unpacked further."""
    stored = secret(stored_hook(text="x" * 10_000))
    monkeypatch.setattr(release, "MAX_UNPACKED", 1000)
    with pytest.raises(release.ReleaseError, match="more than 1000 bytes"):
        release.decode(stored)


def _stored(content: bytes) -> Json:
    packed = base64.b64encode(base64.b64encode(gzip.compress(content, 1))).decode()
    return {**secret(stored_hook()), "data": {"release": packed}}


TEST = '{"events":["test"],"path":"t.yaml","manifest":"a: 1"'

HOSTILE = {
    "a gigabyte of nothing": (b" " * (1 << 28), "bytes unpacked"),
    "lists without end": (b"[" + b"[]," * 8_000_000 + b"[]]", "values"),
    "objects without end": (b'{"hooks":[' + b'{"a":1},' * 3_000_000 + b"{}]}", "values"),
    "depth without end": (b"[" * 1_000_000, "values"),
    "nothing but depth": (b"[" * 10_000, "depth"),
    "hooks without end": (
        f'{{"name":"x","version":1,"hooks":[{",".join([TEST + "}"] * 5_000)}]}}'.encode(),
        "test hooks",
    ),
    "a list": (b"[]", "its content is a list, not an object"),
    "hooks that are text": (b'{"hooks":"abc"}', "hooks is a text, not a list"),
    "a hook that is null": (b'{"hooks":[null]}', "a hook is missing, not an object"),
    "events that are a number": (b'{"hooks":[{"events":7}]}', "events of a hook is a whole number"),
    "no name": (b'{"version":1}', "name is missing"),
    "a version in words": (b'{"name":"x","version":"1"}', "version is a text"),
    "info that is text": (b'{"name":"x","version":1,"info":"abc"}', "info is a text"),
    "a weight in words": (
        f'{{"name":"x","version":1,"hooks":[{TEST},"weight":"5"}}]}}'.encode(),
        "hook t.yaml: weight is a text",
    ),
    "a policy that is no list": (
        f'{{"name":"x","version":1,"hooks":[{TEST},"delete_policies":"x"}}]}}'.encode(),
        "hook t.yaml: delete_policies is a text",
    ),
}


@pytest.mark.parametrize(("content", "told"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_content_is_refused_in_little_memory(content: bytes, told: str) -> None:
    """What would fill the memory is not read; what Helm would not write is named by its field."""
    stored = _stored(content)
    tracemalloc.start()
    try:
        with pytest.raises(release.ReleaseError, match=told):
            release.decode(stored)
        assert tracemalloc.get_traced_memory()[1] < 3 * release.MAX_UNPACKED
    finally:
        tracemalloc.stop()


def test_values_within_texts_are_not_counted() -> None:
    """A chart full of dashboards, which are texts to us, is read."""
    text = json.dumps([{"a": [1, 2, 3]}] * 100_000)
    content = {"name": "shop", "version": 1, "manifest": text}
    assert release.decode(_stored(json.dumps(content).encode())).name == "shop"


def test_unreadable_hook_is_named() -> None:
    """A test hook that is no object makes the release unreadable; another hook does not."""
    with pytest.raises(release.ReleaseError, match=r"templates/tests/smoke\.yaml"):
        release.decode(secret(stored_hook(text="- no object")))
    stored = secret(stored_hook(), stored_hook(text="[", events=["pre-install"]))
    assert len(release.decode(stored).hooks) == 1


def test_newest_revision_whatever_its_status() -> None:
    """As with helm test, a failed or pending newest revision is the one that counts."""
    stored = [
        secret(stored_hook(name="two"), revision=2),
        secret(stored_hook(name="ten"), revision=10, status="failed"),
        secret(stored_hook(name="nine"), revision=9, status="superseded"),
        secret(stored_hook(name="other"), revision=99, name="shop-2"),
    ]
    found = release.newest(stored, "shop")
    assert found is not None
    assert (found.revision, found.hooks[0].name) == (10, "ten")


@pytest.mark.parametrize("status", ["uninstalled", "uninstalling"])
def test_uninstalled(status: str) -> None:
    """A release whose newest revision is uninstalled is none, though its history is kept."""
    stored = [
        secret(stored_hook(), revision=1, status="superseded"),
        secret(stored_hook(), revision=2, status=status),
    ]
    assert release.newest(stored, "shop") is None


def test_only_helms_own_secrets_count() -> None:
    """A Secret of another type, owner or name is no revision of the release."""
    good = secret(stored_hook())
    foreign = {**good, "type": "Opaque"}
    unlabelled = {**good, "metadata": {"name": "sh.helm.release.v1.shop.v1"}}
    assert release.newest([foreign, unlabelled], "shop") is None
    assert release.newest([], "shop") is None


KINDS = st.sampled_from(["Pod", "Job", "ConfigMap", "Secret", "ServiceAccount", "Role", "Strange"])
HOOKS = st.lists(
    st.tuples(st.integers(-2, 2), st.sampled_from(["a", "a-b", "a.b", "b", "B"]), KINDS),
    max_size=8,
)


def helms_order(found: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Model Helm: sorted by kind when installed, then stably by weight and name when run."""
    ranks = {kind: rank for rank, kind in enumerate(release.INSTALL_ORDER)}
    by_kind = sorted(found, key=lambda h: (0, ranks[h[2]], "") if h[2] in ranks else (1, 0, h[2]))
    return sorted(by_kind, key=lambda h: (h[0], h[1].encode()))


@settings(deadline=None, max_examples=60)
@given(HOOKS)
def test_order_is_helms(found: list[tuple[int, str, str]]) -> None:
    """Hooks run in the order of Helm's own two stable sorts."""
    stored = secret(*(stored_hook(kind, name, weight=weight) for weight, name, kind in found))
    ours = [(each.weight, each.name, each.kind) for each in release.decode(stored).hooks]
    assert ours == helms_order(found)


def test_namespace_of_a_hook() -> None:
    """The namespace that a manifest names is told; none is the empty string."""
    written = {"metadata": {"name": "a", "namespace": "there"}}
    assert hook(written=written).namespace == "there"
    assert hook(written={"metadata": {"name": "a"}}).namespace == ""


def test_stored_json_is_helms() -> None:
    """The field names are those that Helm 4 writes."""
    text = json.dumps(stored_hook(weight=1, delete_policies=["hook-failed"]))
    assert release.decode(secret(json.loads(text))).hooks[0].delete_policies == ("hook-failed",)
