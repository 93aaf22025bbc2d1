"""The few calls to the API server that starting a cluster takes.

Objects are written by server-side apply, which makes writing the same object
twice a no-op and needs no read before.
"""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster.errors import ClusterError
from devcluster.settings import API_URL
from devcluster.waiting import wait_until

Object = Mapping[str, Any]

_PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "CustomResourceDefinition": "customresourcedefinitions",
    "EndpointSlice": "endpointslices",
    "Gateway": "gateways",
    "GatewayClass": "gatewayclasses",
    "IngressClass": "ingressclasses",
    "Namespace": "namespaces",
    "Node": "nodes",
    "Service": "services",
}


class _AbsentError(ClusterError):
    """Raised when what was asked for is not there."""


def path_of(thing: Object) -> str:
    """Write the path of an object below the API server's root."""
    version, meta = thing["apiVersion"], thing["metadata"]
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    if "namespace" in meta:
        root += f"/namespaces/{meta['namespace']}"
    return f"{root}/{_PLURALS[thing['kind']]}/{meta['name']}"


class Client:
    """Talk to the source cluster's API server as its administrator."""

    def __init__(self, pki: Path) -> None:
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        direct = urllib.request.ProxyHandler({})
        secure = urllib.request.HTTPSHandler(context=context)
        self._opener = urllib.request.build_opener(direct, secure)

    def apply(self, thing: Object, text: str = "") -> None:
        """Write an object by server-side apply, or the YAML text of what it names."""
        path = f"{path_of(thing)}?fieldManager=devcluster&force=true"
        self._ask("PATCH", path, text or json.dumps(thing), "application/apply-patch+yaml")

    def read(self, path: str) -> dict[str, Any]:
        """Read an object or a list."""
        answer: dict[str, Any] = json.loads(self._ask("GET", path))
        return answer

    def find(self, thing: Object) -> dict[str, Any]:
        """Read an object as it is now; empty where it is not there."""
        try:
            return self.read(path_of(thing))
        except _AbsentError:
            return {}

    def delete(self, thing: Object) -> None:
        """Delete an object, if it is there, and wait until it is gone."""
        try:
            self._ask("DELETE", path_of(thing))
        except _AbsentError:
            return
        if not wait_until(lambda: not self.find(thing), 60.0):
            raise ClusterError(f"{path_of(thing)} is still there after 60 s")

    def node_ready(self, name: str) -> bool:
        """Tell whether a node reports Ready."""
        try:
            node = self.read(f"/api/v1/nodes/{name}")
        except ClusterError:
            return False
        conditions = node.get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def _ask(self, method: str, path: str, body: str = "", kind: str = "application/json") -> str:
        request = urllib.request.Request(
            API_URL + path,
            method=method,
            data=body.encode() or None,
            headers={"Content-Type": kind},
        )
        try:
            with self._opener.open(request, timeout=15.0) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            kind_of_error = _AbsentError if error.code == 404 else ClusterError
            raise kind_of_error(f"{method} {path}: {error.code} {said}") from error
        except OSError as error:
            raise ClusterError(f"{method} {path}: {error}") from error
