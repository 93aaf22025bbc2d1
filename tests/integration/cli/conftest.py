"""An API server that knows the resource, for commands that speak to one."""

from __future__ import annotations

import subprocess

import pytest

from gatewaycanary.api.crd import NAME, crd_yaml


@pytest.fixture(scope="session")
def accepting(kubectl: tuple[str, ...]) -> tuple[str, ...]:
    """Give kubectl for an API server that serves the CRD."""
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", "-"]
    subprocess.run(apply, input=crd_yaml(), text=True, check=True, capture_output=True)
    wait = [*kubectl, "wait", f"crd/{NAME}", "--for=condition=Established", "--timeout=30s"]
    subprocess.run(wait, check=True, capture_output=True)
    return kubectl
