"""The small pure parts: probes, traces, tools, choices, addons and words."""

import io
import json
import struct
from pathlib import Path

import pytest

from devcluster import (
    addons,
    api,
    choice,
    clusters,
    components,
    kind,
    objects,
    packages,
    probes,
    status,
    teardown,
)
from devcluster.clusters import Cluster
from devcluster.errors import ClusterError
from devcluster.layout import Layout
from devcluster.packages import Tool
from devcluster.progress import Progress, spoken


def test_a_dns_question_is_written_as_the_protocol_says() -> None:
    """Labels with their lengths, an A record of class IN."""
    assert probes.dns_query("a.bc")[12:] == b"\x01a\x02bc\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("flags", "answers", "answered"),
    [(0x8180, 1, True), (0x8180, 0, False), (0x8183, 0, False), (0x0100, 1, False)],
)
def test_a_dns_reply_counts_with_an_answer_and_no_error(
    flags: int, answers: int, answered: bool
) -> None:
    """NXDOMAIN, an empty answer and a question are no answers."""
    reply = struct.pack(">HHHHHH", 1, flags, 1, answers, 0, 0)
    assert probes.dns_answered(reply) is answered
    assert not probes.dns_answered(reply[:6])


def test_mounts_below_a_directory_are_listed_innermost_first() -> None:
    """What was mounted last goes first; neighbours with a like name stay."""
    mountinfo = (
        "1 0 0:1 / / rw - ext4 a rw\n"
        "2 1 0:2 / /state/a rw - tmpfs t rw\n"
        "3 1 0:2 / /state-of-others rw - tmpfs t rw\n"
        "4 2 0:2 / /state/a/with\\040space rw - tmpfs t rw\n"
    )
    assert teardown.mount_points(mountinfo, Path("/state")) == [
        Path("/state/a/with space"),
        Path("/state/a"),
    ]


def test_missing_tools_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who is not root is told; each package is named once."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    missing = (Tool("/nowhere/a", "pack"), Tool("no-such-tool", "pack"), Tool("sh", "dash"))
    expected = (
        "missing: /nowhere/a, no-such-tool; "
        "install with: apt-get install -y --no-install-recommends pack"
    )
    with pytest.raises(ClusterError) as raised:
        packages.ensure(missing, Progress([], io.StringIO()))
    assert str(raised.value) == expected


def test_an_existing_cluster_is_never_chosen_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine, auto means source; a wrong word is refused."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert choice.choose("auto") == "source"
    assert choice.choose("existing") == "existing"
    with pytest.raises(ClusterError, match="CLUSTER=minikube is not known"):
        choice.choose("minikube")


def test_a_description_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Programs read what cluster-up has written; before that there is nothing."""
    layout = Layout(tmp_path / "state")
    with pytest.raises(ClusterError, match="make cluster-up"):
        clusters.required(layout)
    url = "http://127.0.0.1:1"
    urls = {"nginx": url, "istio": "http://127.0.0.1:2", "gateway-api": "http://127.0.0.1:3"}
    saved = Cluster("kind", tmp_path / "config", url, None, None, layout.state, urls)
    clusters.save(saved, layout)
    assert clusters.required(layout) == saved
    assert saved.environment("/bin") == {
        "KUBECONFIG": str(tmp_path / "config"),
        "GATEWAY_URL": "http://127.0.0.1:1",
        "ISTIO_GATEWAY_URL": "http://127.0.0.1:2",
        "GATEWAY_API_URL": "http://127.0.0.1:3",
    }


def test_a_description_from_before_there_were_addons_is_read(tmp_path: Path) -> None:
    """A cluster that was started then has the one data plane."""
    layout = Layout(tmp_path / "state")
    saved = Cluster("source", tmp_path / "config", "http://127.0.0.1:1", None, None, layout.state)
    clusters.save(saved, layout)
    found = json.loads(layout.description.read_text())
    del found["gateway_urls"]
    layout.description.write_text(json.dumps(found))
    cluster = clusters.required(layout)
    assert cluster.gateway_urls == {"nginx": "http://127.0.0.1:1"}
    assert "ISTIO_GATEWAY_URL" not in cluster.environment("/bin")


def test_an_unknown_component_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The message lists what there is."""
    with pytest.raises(ClusterError, match="known: etcd, containerd, kube-apiserver"):
        components.named(Layout(tmp_path), "etc")


def test_an_enabled_addon_brings_its_components(tmp_path: Path) -> None:
    """Its programs join the others, and leave with it."""
    layout = Layout(tmp_path)
    kwok = addons.named("kwok")
    addons.enable(layout, kwok)
    assert components.named(layout, "kwok").argv[0] == str(tmp_path / "bin" / "kwok")
    addons.disable(layout, kwok)
    assert "kwok" not in [part.name for part in components.all_components(layout)]
    with pytest.raises(ClusterError, match=r"no addon 'ambient'; known: istio, gateway-api, kwok"):
        addons.named("ambient")


def test_every_written_object_has_a_path() -> None:
    """The client knows the plural of each kind that is written."""
    written = [*objects.base(), *(o for a in addons.known().values() for o in a.objects())]
    paths = [api.path_of(thing) for thing in written]
    assert len(set(paths)) == len(paths)
    assert "/apis/networking.k8s.io/v1/ingressclasses/nginx" in paths


def test_kind_maps_the_gateway_to_loopback_only() -> None:
    """Nothing of the kind cluster is offered to other machines."""
    mappings = kind.configuration()["nodes"][0]["extraPortMappings"]
    assert {mapping["listenAddress"] for mapping in mappings} == {"127.0.0.1"}
    assert [thing["kind"] for thing in kind.data_plane()] == [
        "ClusterRole",
        "ClusterRoleBinding",
        "ServiceAccount",
        "IngressClass",
        "Deployment",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.26, "0.3s"), (12.4, "12s"), (60, "1m00s"), (754, "12m34s")]
)
def test_durations_are_spoken(seconds: float, words: str) -> None:
    """Short ones with a decimal, long ones in minutes."""
    assert spoken(seconds) == words


def test_progress_tells_stage_time_and_what_comes_next() -> None:
    """A log gets one line at the start of a long stage and one at each end."""
    said = io.StringIO()
    progress = Progress(["build", "start"], said)
    with progress.stage("build", "9 minutes"):
        pass
    with pytest.raises(ValueError, match="no"), progress.stage("start"):
        raise ValueError("no")
    first, second, third = said.getvalue().splitlines()
    assert first == "[1/2] build (usually 9 minutes); next: start"
    assert second == "[1/2] build: done in 0.0s"
    assert third == "[2/2] start: failed after 0.0s"


def test_a_table_aligns_its_columns() -> None:
    """Columns are as wide as their widest cell, without trailing blanks."""
    assert status.table([("A", "B"), ("long", "x")]) == ["A     B", "long  x"]
