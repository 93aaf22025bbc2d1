"""The real helm, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class HelmError(Exception):
    """Raised when helm ends with an error; its words are the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helm:
    """Run helm in one namespace of one cluster. ``path`` is the PATH that holds it."""

    kubeconfig: Path
    namespace: str
    path: str = os.environ.get("PATH", "")
    home: Path

    def install(
        self, release: str, chart: Path, values: dict[str, Any], *options: str, timeout: float = 120
    ) -> str:
        """Install or upgrade a release."""
        return self.run(
            *("upgrade", "--install", release, str(chart), "--values", "-", *options),
            given=json.dumps(values),
            timeout=timeout,
        )

    def run(self, *arguments: str, given: str = "", timeout: float = 120) -> str:
        """Run one helm command and give what it prints."""
        done = self.start(*arguments, given=given, timeout=timeout)
        if done.returncode != 0:
            raise HelmError(f"helm {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def start(
        self, *arguments: str, given: str = "", timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run one helm command, however it ends."""
        return subprocess.run(
            ["helm", *arguments, "--namespace", self.namespace],
            env={
                **os.environ,
                "PATH": self.path,
                "KUBECONFIG": str(self.kubeconfig),
                "HELM_CACHE_HOME": str(self.home / "cache"),
                "HELM_CONFIG_HOME": str(self.home / "config"),
                "HELM_DATA_HOME": str(self.home / "data"),
            },
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
