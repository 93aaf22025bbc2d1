"""The autoscaler is held by one field and given back as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from conformance.documents import Documents, WriteError
from gatewaycanary.core import autoscalers
from gatewaycanary.core.fieldowners import disown_patch
from gatewaycanary.core.writes import JsonPatch
from unit.core.objects import NAMESPACE

KIND = "HorizontalPodAutoscaler"
FILLED_IN: dict[str, Any] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
}


def autoscaler(behavior: dict[str, Any] | None = None, *, target: str = "web") -> dict[str, Any]:
    """Write an autoscaler."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": KIND,
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "maxReplicas": 5,
            **({} if behavior is None else {"behavior": behavior}),
        },
    }


class Server(Documents):
    """Documents that fill in a behavior as the API server does."""

    def read(self) -> dict[str, Any]:
        """Give the autoscaler."""
        found = self.get(KIND, NAMESPACE, "web")
        assert found is not None
        return found

    def take(self, write: JsonPatch | None) -> None:
        """Apply a write and fill in."""
        assert write is not None
        self.apply(write)
        behavior = self.read()["spec"].get("behavior")
        for direction, rules in FILLED_IN.items() if behavior else ():
            behavior[direction] = {**copy.deepcopy(rules), **behavior.get(direction, {})}


RICH = {"scaleDown": {"selectPolicy": "Min", "policies": [], "stabilizationWindowSeconds": 60}}


@pytest.mark.parametrize(
    "behavior",
    [
        pytest.param(None, id="none"),
        pytest.param(FILLED_IN, id="filled in"),
        pytest.param({**FILLED_IN, **RICH}, id="with rules of its own"),
    ],
)
def test_held_and_given_back(behavior: dict[str, Any] | None) -> None:
    """Held, it does not scale down; released, it is as it was."""
    server = Server([autoscaler(copy.deepcopy(behavior))])
    before = copy.deepcopy(server.read()["spec"])
    original = autoscalers.autoscaler_view(server.read())
    assert not original.held
    server.take(autoscalers.hold_patch(server.read()))
    assert autoscalers.autoscaler_view(server.read()).held
    assert autoscalers.hold_patch(server.read()) is None
    held = server.read()["spec"]["behavior"]
    if behavior is not None:
        assert held == {
            **behavior,
            "scaleDown": {**behavior["scaleDown"], "selectPolicy": "Disabled"},
        }
    server.take(autoscalers.release_patch(server.read(), original=original.select_policy))
    assert server.read()["spec"] == before
    assert autoscalers.release_patch(server.read(), original=original.select_policy) is None


def test_behavior_without_scale_down() -> None:
    """Where only scaling up is ruled, scaling down is added."""
    server = Server([autoscaler({"scaleUp": {"selectPolicy": "Min"}})])
    write = autoscalers.hold_patch(server.read())
    assert write is not None
    server.apply(write)
    assert server.read()["spec"]["behavior"] == {
        "scaleUp": {"selectPolicy": "Min"},
        "scaleDown": {"selectPolicy": "Disabled"},
    }


def test_written_into_while_held() -> None:
    """Rules that somebody gave it meanwhile stay; only our policy goes."""
    server = Server([autoscaler()])
    server.take(autoscalers.hold_patch(server.read()))
    window = "/spec/behavior/scaleUp/stabilizationWindowSeconds"
    server.edit(KIND, NAMESPACE, "web", {"op": "replace", "path": window, "value": 30})
    server.take(autoscalers.release_patch(server.read(), original=None))
    behavior = server.read()["spec"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 30
    assert behavior["scaleDown"] == FILLED_IN["scaleDown"]


def test_its_own_disabled_stays() -> None:
    """One that never scales down needs no holding, and is not released."""
    never = autoscaler({**FILLED_IN, "scaleDown": {"selectPolicy": "Disabled"}})
    view = autoscalers.autoscaler_view(never)
    assert (view.held, view.select_policy) == (True, "Disabled")
    assert autoscalers.hold_patch(never) is None
    assert autoscalers.release_patch(never, original=view.select_policy) is None


def test_not_over_a_change() -> None:
    """A hold made before somebody else's write is stale."""
    server = Server([autoscaler()])
    hold = autoscalers.hold_patch(server.read())
    assert hold is not None
    server.edit(KIND, NAMESPACE, "web", {"op": "replace", "path": "/spec/maxReplicas", "value": 9})
    with pytest.raises(WriteError) as refused:
        server.apply(hold)
    assert refused.value.code == 409


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, True),
        ({"kind": "Deployment", "name": "web"}, True),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}, False),
        ({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}, False),
        ({"apiVersion": "example.com/v1", "kind": "Deployment", "name": "web"}, False),
    ],
)
def test_find(target: dict[str, str], *, found: bool) -> None:
    """The autoscaler of a Deployment is known by what it scales."""
    one = autoscaler()
    one["spec"]["scaleTargetRef"] = target
    assert (autoscalers.find([one], "web") is not None) is found


def test_first_by_name() -> None:
    """Of several the first by name is taken, in whatever order they come."""
    one, two = autoscaler(), autoscaler()
    two["metadata"] = {**two["metadata"], "name": "aaa"}
    assert autoscalers.find([one, two], "web") is two
    assert autoscalers.find([two, one], "web") is two


def test_disowned() -> None:
    """Our entries alone leave the managedFields."""
    obj = autoscaler()
    managers = ("gatewaycanary", "helm", "gatewaycanary", "kube-controller-manager")
    obj["metadata"]["managedFields"] = [{"manager": manager} for manager in managers]
    server = Server([obj])
    write = disown_patch(server.read(), api_version="autoscaling/v2", kind=KIND)
    assert write is not None
    server.apply(write)
    left = [entry["manager"] for entry in server.read()["metadata"]["managedFields"]]
    assert left == ["helm", "kube-controller-manager"]
    assert disown_patch(server.read(), api_version="autoscaling/v2", kind=KIND) is None


def test_not_disowned_over_a_change() -> None:
    """Where the entries have moved, nobody else's is taken out."""
    obj = autoscaler()
    obj["metadata"]["managedFields"] = [{"manager": "gatewaycanary"}, {"manager": "helm"}]
    write = disown_patch(obj, api_version="autoscaling/v2", kind=KIND)
    assert write is not None
    obj["metadata"]["managedFields"].reverse()
    with pytest.raises(WriteError) as refused:
        Server([obj]).apply(write)
    assert refused.value.code == 422
