"""What happens to the cluster under all runs of a batch, and what was away meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence

import devcluster
from chaos import grounds
from chaos.plans import Outage, Shared
from chaos.stands import Stand
from chaos.windows import Away, Window
from devcluster import ClusterError
from devcluster.waiting import wait_until
from gatewaycanary.kube.resources import Object, Resource
from proving.api import Api
from proving.histories import History, Record

NODE = Resource("", "v1", "nodes", "Node", namespaced=False)
RECOVERY = 15.0
"""Seconds after the node is ready again until its pods are told to be, and routes lead to them."""

_IMPATIENT = 20
"""Twice the interval of the node's heartbeat, in seconds."""

_SERVES = 30.0
_READY = 90.0
_PARTS = {
    Outage.API: ("kube-apiserver",),
    Outage.ETCD: ("etcd",),
    Outage.KUBELET: ("kubelet",),
    Outage.NODE: ("kubelet",),
    Outage.GATEWAY: ("traefik", "envoy"),
}
_AWAY = {
    Outage.API: Away.CONTROL,
    Outage.ETCD: Away.CONTROL,
    Outage.KUBELET: Away.NODE,
    Outage.NODE: Away.NODE,
    Outage.GATEWAY: Away.TRAFFIC,
}


def strike(shared: Shared, stands: Sequence[Stand]) -> Window | None:
    """Kill what is to be away, start it again after its time, and wait until it serves."""
    if shared.outage is Outage.NONE:
        return None
    parts = [devcluster.component(name) for name in _PARTS[shared.outage] if _there(name)]
    began = time.monotonic()
    if shared.outage is Outage.NODE:
        grounds.controllers(node_grace=_IMPATIENT).start()
    for part in parts:
        part.kill()
    # NB: the length of an outage is what the plan says; there is nothing to wait for.
    time.sleep(shared.lasts)
    for part in parts:
        part.launch()
    for part in parts:
        part.await_ready(_READY)
    devcluster.component("kube-apiserver").await_ready(_READY)
    if shared.outage is Outage.NODE:
        grounds.controllers(node_grace=grounds.PATIENT).start()
    away = _AWAY[shared.outage]
    if away is not Away.CONTROL:
        since = time.monotonic()
        wait_until(lambda: all(_serves(each, since) for each in stands), _SERVES)
    return Window(away=away, began=began, ended=time.monotonic())


def _there(name: str) -> bool:
    try:
        return devcluster.component(name).process() is not None
    except ClusterError:
        return False


def _serves(stand: Stand, since: float) -> bool:
    """Tell whether a request that began since then was answered by some version."""
    return any(each.version for each in stand.stream.answers(since))


class NodeWatch:
    """Remember when the node was told not to be ready, whatever the reason."""

    def __init__(self, api: Api) -> None:
        self._history = History(api, "", [NODE])

    def close(self) -> None:
        """Stop watching."""
        self._history.close()

    def await_ready(self) -> None:
        """Wait until the node is ready."""
        self._history.wait("the node is ready", self._ready, timeout=_READY)

    def windows(self, until: float) -> list[Window]:
        """Give the spans in which it was not ready, its recovery included."""
        return windows(self._history.records("Node"), until)

    def _ready(self) -> bool:
        return all(ready(each) for each in self._history.all_current("Node"))


def windows(records: Sequence[Record], until: float) -> list[Window]:
    """Give the spans in which a node was not ready, its recovery included."""
    found: list[Window] = []
    since: float | None = None
    for record in records:
        if not ready(record.object):
            since = record.at if since is None else since
        elif since is not None:
            found.append(Window(away=Away.NODE, began=since, ended=record.at + RECOVERY))
            since = None
    if since is not None:
        found.append(Window(away=Away.NODE, began=since, ended=until))
    return found


def ready(node: Object) -> bool:
    """Tell whether a node is told to be ready."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
