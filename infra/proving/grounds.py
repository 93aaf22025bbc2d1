"""A cluster with the operator's rights, for programs that bring their own operators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from devcluster import Cluster
from proving import clusters
from proving.api import Api
from proving.operators import write_credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The cluster, a client of an administrator's rights, and the operator's own kubeconfig."""

    cluster: Cluster
    api: Api
    credentials: Path


@contextmanager
def prepared() -> Iterator[Ground]:
    """Bring the cluster up and sweep it; the operator's kubeconfig is gone at the end."""
    cluster = clusters.bring_up()
    api = Api.from_kubeconfig(cluster.kubeconfig)
    clusters.install_operator(cluster, api)
    clusters.sweep(api)
    with TemporaryDirectory() as secret:
        credentials = Path(secret) / "kubeconfig"
        write_credentials(api, credentials)
        yield Ground(cluster=cluster, api=api, credentials=credentials)
