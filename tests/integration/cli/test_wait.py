"""`gatewaycanary wait` and `plan` as processes against a real API server."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import GATEWAY_CANARY

IMAGE = "registry.example/gateway:2.0.0"


@dataclass(frozen=True, slots=True)
class Canary:
    """One stored GatewayCanary, of which the test plays the operator."""

    name: str
    kubectl: tuple[str, ...]
    kubeconfig: Path

    def run(self, *arguments: str, given: str = "") -> str:
        """Run kubectl in the namespace of these tests."""
        command = [*self.kubectl, "-n", "default", *arguments]
        done = subprocess.run(command, input=given, text=True, capture_output=True, check=True)
        return done.stdout

    def tell(self, phase: str, **status: Any) -> None:
        """Write a status, as the operator would."""
        told = {"observedGeneration": 1, "canaryImage": IMAGE, "phase": phase, **status}
        patch = json.dumps({"status": told})
        self.run(
            *("patch", "gatewaycanary", self.name, "--subresource=status", "--type=merge"),
            f"--patch={patch}",
        )

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a command of ours; what it says goes to the log."""
        command = [sys.executable, "-m", "gatewaycanary", *arguments]
        with log.open("wb") as said:
            return subprocess.Popen(
                [*command, "--kubeconfig", str(self.kubeconfig), "-n", "default"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )


@pytest.fixture
def canary(accepting: tuple[str, ...], api: Path) -> Iterator[Canary]:
    """Store a GatewayCanary, and delete it afterwards."""
    made = Canary(f"gateway-{uuid.uuid4().hex[:8]}", accepting, api)
    body = {
        "apiVersion": GATEWAY_CANARY.api_version,
        "kind": "GatewayCanary",
        "metadata": {"name": made.name},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": made.name},
            "image": IMAGE,
            "traffic": {"nginx": {"ingress": "gateway"}},
        },
    }
    made.run("create", "-f", "-", given=yaml.safe_dump(body))
    yield made
    made.run("delete", "gatewaycanary", made.name, "--ignore-not-found")


def followed(canary: Canary, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start to wait, and give the process once it has said where the object stands."""
    process = canary.start("wait", canary.name, "--timeout", "1m", *arguments, log=log)
    assert wait_until(lambda: log.read_text() != "" or process.poll() is not None, 30.0)
    return process


def test_a_rollout_is_followed_to_its_promotion(canary: Canary, tmp_path: Path) -> None:
    """Each status that is written is a line, and the end is exit code 0."""
    log = tmp_path / "log"
    process = followed(canary, log)
    canary.tell("Testing", weight=5, step="1/6", message="Testing at 5 %: run 1")
    assert wait_until(lambda: "Testing at 5 %" in log.read_text(), 20.0)
    canary.tell("Succeeded", weight=0, message="it is promoted")
    assert process.wait(20) == 0
    lines = log.read_text().splitlines()
    assert lines[0] == "waiting for the operator to see the change"
    assert lines[1].split() == ["Testing", "1/6", "5", "%", "Testing", "at", "5", "%:", "run", "1"]
    assert lines[-1] == "promoted: it is promoted"


def test_a_failure_brings_the_test_s_log(canary: Canary, tmp_path: Path) -> None:
    """A rolled-back rollout is exit code 1, with what the failed test has said."""
    log = tmp_path / "log"
    process = followed(canary, log, "--image", IMAGE)
    failed = {"name": "smoke", "verdict": "Failed", "logTail": "expected 200, got 500"}
    canary.tell("Failed", message="TestFailed: smoke", tests=[failed])
    assert process.wait(20) == 1
    assert log.read_text().endswith("log of test smoke:\n  expected 200, got 500\n")


def test_another_image_ends_the_wait(canary: Canary, tmp_path: Path) -> None:
    """Somebody else's change is not this pipeline's result: exit code 4."""
    process = followed(canary, tmp_path / "log")
    patch = '--patch={"spec": {"image": "registry.example/gateway:3.0.0"}}'
    canary.run("patch", "gatewaycanary", canary.name, "--type=merge", patch)
    assert process.wait(20) == 4


def test_a_deletion_ends_the_wait(canary: Canary, tmp_path: Path) -> None:
    """An object that goes has no result: exit code 4."""
    process = followed(canary, tmp_path / "log")
    canary.run("delete", "gatewaycanary", canary.name)
    assert process.wait(20) == 4


def test_a_plan_tells_what_the_cluster_lacks(canary: Canary, tmp_path: Path) -> None:
    """A plan beside a cluster names the missing objects, and writes nothing."""
    stored = canary.run("get", "gatewaycanary", canary.name, "-o", "yaml")
    path, log = tmp_path / "canary.yaml", tmp_path / "log"
    path.write_text(stored)
    process = canary.start("plan", "-f", str(path), log=log)
    assert process.wait(30) == 2
    assert f"TargetMissing: Deployment {canary.name}" in log.read_text()
    assert canary.run("get", "gatewaycanary", canary.name, "-o", "yaml") == stored
