"""What `gatewaycanary plan` says of files, without a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewaycanary.cli import main
from gatewaycanary.cli.planning import canaries

GOOD = """\
apiVersion: canary.soma.dev/v1alpha1
kind: GatewayCanary
metadata: {name: gateway}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: soma-gateway}
  image: registry.example/soma-gateway:2.0.0
  traffic: {nginx: {ingress: soma-gateway}}
  steps: [{weight: 20, hold: 2m}, {weight: 100, approval: true}]
  tests: [{helm: {release: soma}}]
"""


def plan(tmp_path: Path, text: str) -> int:
    """Plan a file offline."""
    path = tmp_path / "canary.yaml"
    path.write_text(text)
    return main(["plan", "--offline", "-f", str(path)])


def test_a_plan_tells_every_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights, gates, promotion and the end stand in the order in which they would happen."""
    assert plan(tmp_path, GOOD) == 0
    out = capsys.readouterr().out
    places = [out.index(word) for word in ("prepare:", "20 %:", "100 %:", "promote:", "finish:")]
    assert places == sorted(places)
    assert "hold 2m" in out
    assert "a person's approval" in out
    assert "tests of release soma against canary within 5m" in out
    assert out.endswith("Nothing was changed.\n")


def test_what_would_be_refused_is_told_with_its_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A spec that the API server refuses is refused here, by the same message."""
    assert plan(tmp_path, GOOD.replace("{weight: 20,", "{weight: 100,")) == 2
    out = capsys.readouterr().out
    assert "would be refused:" in out
    assert "spec.steps: weights must rise from step to step" in out


def test_every_document_is_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other kinds in the file are passed over, and every GatewayCanary counts for the code."""
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    bad = GOOD.replace("name: gateway}", "name: bad}").replace("weight: 100", "weight: 90")
    assert plan(tmp_path, "---\n".join((GOOD, other, bad))) == 2
    out = capsys.readouterr().out
    assert "GatewayCanary gateway: Deployment soma-gateway" in out
    assert "GatewayCanary bad" in out


@pytest.mark.parametrize(
    ("text", "told"),
    [("kind: ConfigMap", "holds no GatewayCanary"), ("a: [", "not YAML"), ("", "no GatewayCanary")],
)
def test_a_useless_file_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    """What cannot be planned is told in one line with the exit code of a wrong command line."""
    assert plan(tmp_path, text) == 64
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert told in err


def test_a_missing_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is named."""
    assert main(["plan", "--offline", "-f", "/nowhere/x.yaml"]) == 64
    assert "/nowhere/x.yaml" in capsys.readouterr().err


def test_lists_are_opened() -> None:
    """`kubectl get -o yaml` of several objects is a List."""
    item = "{apiVersion: canary.soma.dev/v1alpha1, kind: GatewayCanary}"
    text = f"apiVersion: v1\nkind: List\nitems: [{item}]\n"
    assert len(list(canaries(text))) == 1
