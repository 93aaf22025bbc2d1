"""Which cluster there is, for programs that use one.

A started cluster is described by one file in the state directory; tests and
tools read it and need not know how the cluster came to be.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, cast

from devcluster.errors import ClusterError
from devcluster.layout import Layout

Kind = Literal["source", "kind", "existing"]

_VARIABLES = {"istio": "ISTIO_GATEWAY_URL", "gateway-api": "GATEWAY_API_URL"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Describe a running cluster."""

    kind: Kind
    kubeconfig: Path
    gateway_url: str
    audit_log: Path | None
    bin_dir: Path | None
    state_dir: Path
    gateway_urls: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Where each data plane that is there is reached: nginx, istio, gateway-api."""

    def environment(self, path: str) -> dict[str, str]:
        """Return the variables that programs of this cluster need, on top of a PATH."""
        variables = {"KUBECONFIG": str(self.kubeconfig), "GATEWAY_URL": self.gateway_url}
        if self.bin_dir is not None:
            variables["PATH"] = f"{self.bin_dir}:{path}"
        if self.audit_log is not None:
            variables["AUDIT_LOG"] = str(self.audit_log)
        for name, url in self.gateway_urls.items():
            if name in _VARIABLES:
                variables[_VARIABLES[name]] = url
        return variables


def save(cluster: Cluster, layout: Layout) -> None:
    """Write the description down, whole or not at all."""
    layout.state.mkdir(parents=True, exist_ok=True)
    fresh = layout.description.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(cluster), default=str, indent=2) + "\n")
    fresh.rename(layout.description)


def load(layout: Layout) -> Cluster | None:
    """Read the description; None where no cluster was started."""
    try:
        found = json.loads(layout.description.read_text())
    except FileNotFoundError:
        return None

    def optional(name: str) -> Path | None:
        return Path(found[name]) if found[name] else None

    return Cluster(
        kind=cast("Kind", found["kind"]),
        kubeconfig=Path(found["kubeconfig"]),
        gateway_url=found["gateway_url"],
        audit_log=optional("audit_log"),
        bin_dir=optional("bin_dir"),
        state_dir=Path(found["state_dir"]),
        # A cluster that was started before there were others has only this one.
        gateway_urls=found.get("gateway_urls", {"nginx": found["gateway_url"]}),
    )


def required(layout: Layout) -> Cluster:
    """Read the description; raise where no cluster was started."""
    cluster = load(layout)
    if cluster is None:
        raise ClusterError("no cluster is up: run `make cluster-up`")
    return cluster
