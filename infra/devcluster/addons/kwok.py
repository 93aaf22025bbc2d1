"""Fake nodes, for questions about many objects that no machine here could run.

kwok plays the kubelet of nodes that carry the label type=kwok. They are
tainted: a pod lands on one only if it tolerates the taint, so that the real
node's tests never meet a pod that only claims to run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster import probes
from devcluster.addons import Addon, Builds
from devcluster.flags import Invocation, argv
from devcluster.layout import Layout
from devcluster.recipes import KWOK_BUILD
from devcluster.settings import KWOK, KWOK_PORT

NODES = 3


def _stages(layout: Layout) -> Path:
    return layout.etc / "kwok-stages.yaml"


def _links(layout: Layout, built: Builds) -> Mapping[Path, Path]:
    home = built[KWOK_BUILD.name]
    return {layout.bin / "kwok": home / "kwok", _stages(layout): home / "stages.yaml"}


def _programs(layout: Layout) -> Mapping[str, Invocation]:
    stages = _stages(layout)
    options = {
        "kubeconfig": layout.credentials("kwok"),
        "config": stages,
        "manage-all-nodes": "false",
        "manage-nodes-with-label-selector": "type=kwok",
        "node-lease-duration-seconds": 40,
        "server-address": f"127.0.0.1:{KWOK_PORT}",
        # Addresses of fake pods, apart from those of real ones.
        "cidr": "10.248.0.1/16",
    }
    ready = probes.http(f"http://127.0.0.1:{KWOK_PORT}/healthz")
    return {"kwok": Invocation(argv(layout, "kwok", options), ready, inputs=(stages,))}


def _node(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"kwok-{number}",
            "labels": {"type": "kwok"},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {
            "taints": [{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}]
        },
    }


def _objects() -> list[dict[str, Any]]:
    return [_node(number) for number in range(NODES)]


ADDON = Addon(
    name="kwok",
    version=f"kwok v{KWOK}",
    recipes=(KWOK_BUILD,),
    links=_links,
    programs=_programs,
    objects=_objects,
)
