"""The cluster that things are proven on: there, or brought up now."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

import devcluster
from devcluster import Cluster, choice
from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import GATEWAY_CANARY, Resource
from proving.api import NAMESPACE, Api, RefusedError
from proving.helm import Helm
from proving.operators import CRD, ROOT, SYSTEM, install_rights

DEFINITION = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)

MAKER = "gatewaycanary.test/made-by"
"""The label of namespaces made here; it holds the process that is to remove them."""


ADDONS = ("istio", "gateway-api", "kwok")
"""Every data plane beyond the one of the bare cluster, and nodes that run nothing."""


def bring_up(addons: Iterable[str] = ADDONS) -> Cluster:
    """Start the cluster, or repair what has stopped of it; its progress goes to standard error."""
    command = [sys.executable, "-m", "devcluster", "up", "--addons", ",".join(addons)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "infra")}
    subprocess.run(command, env=environment, stdout=2, check=True)
    return devcluster.current()


def possible_addons() -> tuple[str, ...]:
    """Name what this machine's kind of cluster can have beyond the bare one."""
    return ADDONS if choice.choose(os.environ.get("CLUSTER") or "auto") == "source" else ()


def gateway_url(cluster: Cluster, provider: str) -> str:
    """Give the address of a provider's data plane."""
    url = cluster.gateway_urls.get(provider)
    if url is None:
        known = ", ".join(sorted(cluster.gateway_urls))
        raise devcluster.ClusterError(f"this cluster has no gateway of {provider}, only {known}")
    return url


def helm_of(cluster: Cluster, namespace: str) -> Helm:
    """Give the cluster's own helm for one namespace."""
    path = cluster.environment(os.environ.get("PATH", "")).get("PATH", os.environ.get("PATH", ""))
    return Helm(
        kubeconfig=cluster.kubeconfig,
        namespace=namespace,
        path=path,
        home=Path(tempfile.gettempdir()) / "gatewaycanary-helm",
    )


def install_operator(cluster: Cluster, api: Api) -> None:
    """Install the CRD, and the operator's account and rights."""
    name = api.apply(DEFINITION, yaml.safe_load(CRD.read_text()))["metadata"]["name"]
    if not wait_until(lambda: _served(api, name), 30.0):
        raise devcluster.ClusterError(f"the API server does not serve {name}")
    install_rights(helm_of(cluster, SYSTEM))


def _served(api: Api, name: str) -> bool:
    conditions = api.get(DEFINITION, name)["status"].get("conditions") or ()
    established = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
    return established and api.serves(GATEWAY_CANARY)


def create_namespace(api: Api, name: str) -> None:
    """Create a namespace that is known to be this process's; one that is there already is fine."""
    try:
        api.create(NAMESPACE, {"metadata": {"name": name, "labels": {MAKER: str(os.getpid())}}})
    except RefusedError as refused:
        if refused.status != 409:
            raise


def remove_namespace(api: Api, name: str) -> None:
    """Begin to remove a namespace that no operator serves any more."""
    # Where the CRD is not there yet, as for tests of the data planes alone, there are none.
    canaries = api.list(GATEWAY_CANARY, name)["items"] if api.serves(GATEWAY_CANARY) else ()
    for item in canaries:
        # Nobody is left who would take the finalizer away, and the traffic goes with the rest.
        api.merge(GATEWAY_CANARY, item["metadata"]["name"], {"metadata": {"finalizers": []}}, name)
    api.delete(NAMESPACE, name)


def sweep(api: Api) -> None:
    """Remove the namespaces of processes that were killed before they could."""
    for item in api.list(NAMESPACE, selector=MAKER)["items"]:
        metadata = item["metadata"]
        alive = Path(f"/proc/{metadata['labels'][MAKER]}").exists()
        if not alive and "deletionTimestamp" not in metadata:
            remove_namespace(api, metadata["name"])
