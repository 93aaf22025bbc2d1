"""Tools of the distribution that the node is made of, and how to get them.

What is missing is named together with the one command that installs it. On
Debian as root that command is run, because nothing is left to decide.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.progress import Progress

CNI_PLUGINS = Path("/usr/lib/cni")


@dataclass(frozen=True, slots=True)
class Tool:
    """Name a program or file and the Debian package that carries it."""

    name: str
    package: str

    def present(self) -> bool:
        """Tell whether it is there."""
        if self.name.startswith("/"):
            return Path(self.name).exists()
        return shutil.which(self.name) is not None


NODE_TOOLS = (
    Tool("containerd", "containerd"),
    Tool("containerd-shim-runc-v2", "containerd"),
    Tool("ctr", "containerd"),
    Tool("runc", "runc"),
    *(
        Tool(str(CNI_PLUGINS / plugin), "containernetworking-plugins")
        for plugin in ("bridge", "host-local", "loopback")
    ),
    Tool("nft", "nftables"),
    Tool("iptables", "iptables"),
    Tool("conntrack", "conntrack"),
    Tool("ip", "iproute2"),
    Tool("mount", "mount"),
    Tool("openssl", "openssl"),
)

IMAGE_TOOLS = (
    Tool("busybox", "busybox-static"),
    Tool("curl", "curl"),
    Tool("/etc/ssl/certs/ca-certificates.crt", "ca-certificates"),
)


def parse_os_release(text: str) -> Mapping[str, str]:
    """Read the fields of an os-release file."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key: value.strip().strip('"') for key, value in pairs}


def install_command(missing: tuple[Tool, ...]) -> list[str]:
    """Build the command that installs what is missing, each package once."""
    names = sorted({tool.package for tool in missing})
    return ["apt-get", "install", "-y", "--no-install-recommends", *names]


def ensure(tools: tuple[Tool, ...], progress: Progress) -> None:
    """Install what is missing, or say which command would."""
    missing = tuple(tool for tool in tools if not tool.present())
    if not missing:
        return
    command = install_command(missing)
    words = f"missing: {', '.join(tool.name for tool in missing)}"
    if not _debian() or os.geteuid() != 0:
        raise ClusterError(f"{words}; install with: {' '.join(command)}")
    progress.note(f"{words}; running: {' '.join(command)}")
    _run(["apt-get", "update", "-q"])
    _run(command)
    left = [tool.name for tool in tools if not tool.present()]
    if left:
        raise ClusterError(f"still missing after installing: {', '.join(left)}")


def _debian() -> bool:
    try:
        fields = parse_os_release(Path("/etc/os-release").read_text())
    except OSError:
        return False
    kinds = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    return "debian" in kinds


def _run(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n  ".join((done.stdout + done.stderr).splitlines()[-10:])
        raise ClusterError(f"{' '.join(command)} failed:\n  {tail}")
