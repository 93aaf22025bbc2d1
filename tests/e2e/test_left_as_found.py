"""A release that holds the route is upgraded during and after a rollout, and never notices it.

Beside the route stands a twin, written by the same chart and never shifted: what Helm makes of it
is what Helm must have made of the route, defaults and owners included.
"""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import pytest

from e2e import hooks
from e2e.providers import HELD, named
from e2e.scenes import Scene, image
from gatewaycanary.kube.resources import Object
from proving import routes

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def upgrade(scene: Scene, side: str, *options: str, header: str = "first") -> None:
    """Run `helm upgrade` with a route of this header, and its twin."""
    route = {"header": header, "twin": True}
    scene.install(route=route, keepLiveImage=True, options=(side, *options))


def comparable(item: Object) -> object:
    """Give all of a route but what tells it from its twin: name, uid, host and times."""
    content = routes.content(item)
    for field in ("name", "uid", "creationTimestamp"):
        del content["metadata"][field]
    for field in ("hosts", "hostnames"):
        content["spec"].pop(field, None)
    owners = copy.deepcopy(routes.owners(item))
    for entry in owners:
        del entry["time"]
    return content, owners


def expect_twins(scene: Scene) -> None:
    """Expect the route to be as Helm has made its twin."""
    route, twin = (
        scene.api.get(scene.provider.resource, name, scene.namespace)
        for name in ("gateway", "twin")
    )
    assert comparable(route) == comparable(twin)


def headers(scene: Scene) -> str:
    """Give the part of the route that no rollout is about."""
    found: dict[str, Any] = scene.history.current(scene.provider.kind, "gateway") or {"spec": {}}
    rules = found["spec"].get("http") or found["spec"].get("rules") or [{}]
    return str(rules[0].get("headers") or rules[0].get("filters"))


@pytest.mark.parametrize(
    ("provider", "side"),
    list(product(HELD, ("--server-side=true", "--server-side=false"))),
    ids=named,
)
def test_upgrades_during_and_after_a_rollout(scene: Scene, side: str) -> None:
    """No upgrade conflicts: what it resets is put back, what it changes stays, all is as found."""
    scene.operator.start()
    scene.start_traffic(
        route={"twin": True},
        keepLiveImage=True,
        options=(side, "--wait", "--timeout", "90s"),
    )
    scene.operator.await_ready()
    expect_twins(scene)
    scene.apply("2.0.0", steps=({"weight": 50, "approval": True}, 100))
    revision = scene.reaches("AwaitingApproval", weight=50)["revision"]

    upgrade(scene, side)
    scene.carries(50)
    upgrade(scene, side, header="second")
    scene.when("the new header is there", lambda: "second" in headers(scene))
    scene.carries(50)
    scene.when("a correction is told", lambda: "Drift" in scene.reasons())
    assert "second" in headers(scene)

    scene.annotate("approve", f"{revision}/50")
    scene.ends("Succeeded")
    assert scene.stable_image() == image("2.0.0")
    expect_twins(scene)
    upgrade(scene, side, header="second")
    expect_twins(scene)
    upgrade(scene, side, header="third")
    assert "third" in str(scene.api.get(scene.provider.resource, "gateway", scene.namespace))
    expect_twins(scene)


@pytest.mark.parametrize("provider", HELD, ids=named)
def test_upgrades_after_a_revert(scene: Scene) -> None:
    """A rollout that failed leaves no trace for the next upgrade to stumble over."""
    scene.start(hooks.fails_at(50), route={"twin": True})
    scene.apply("2.0.0")
    scene.ends("Failed")
    expect_twins(scene)
    upgrade(scene, "--server-side=true", header="second")
    expect_twins(scene)
