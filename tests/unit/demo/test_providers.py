"""What the demo is told on its command line, and what it says to a provider it does not know."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from demo.providers import PROVIDERS
from gatewaycanary.api.traffic import Traffic
from proving.operators import ROOT


@pytest.mark.parametrize("variables", [{}, {"PROVIDER": "haproxy"}])
def test_an_unknown_provider_is_told_with_the_known_ones(variables: dict[str, str]) -> None:
    """By option or by variable: exit code 2, one line that names all that there is, no trace."""
    options = [] if variables else ["--provider", "haproxy"]
    path = os.pathsep.join(str(ROOT / each) for each in ("infra", "operator"))
    ended = subprocess.run(
        [sys.executable, "-m", "demo", *options],
        env={**os.environ, "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    last = ended.stderr.splitlines()[-1]
    assert "PROVIDER=haproxy is not known" in last
    assert all(name in last for name in PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_providers_traffic_is_a_valid_spec(name: str) -> None:
    """What the demo asks for is what the resource understands."""
    provider = PROVIDERS[name]
    traffic = Traffic.model_validate({**provider.traffic, "settle": "2s"})
    assert traffic.providers == tuple(provider.traffic)
