"""kopf is told to watch and to log in, and to do nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import kopf
import pytest

from gatewaycanary.handlers import settings, watching
from gatewaycanary.kube.connection import connect

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://example.invalid:6443"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: shop}}]
current-context: x
"""


@pytest.fixture
async def made(tmp_path: Path) -> tuple[kopf.OperatorRegistry, list[tuple[str, str]]]:
    """Give the registry, and the keys that it enqueues."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    keys: list[tuple[str, str]] = []
    registry = watching.registry(
        enqueue=lambda namespace, name: keys.append((namespace, name)),
        connection=await connect(kubeconfig=str(kubeconfig)),
    )
    return registry, keys


async def test_an_event_enqueues_its_key(
    made: tuple[kopf.OperatorRegistry, list[tuple[str, str]]],
) -> None:
    """Whatever it is about; nothing is patched, and no annotation will ever be stored."""
    registry, keys = made
    (handler,) = registry._watching.get_all_handlers()
    selector = handler.selector
    assert selector is not None
    assert (selector.group, selector.version) == ("canary.soma.dev", "v1alpha1")
    changed: Any = handler.fn
    assert await changed(namespace="shop", name="web", type="DELETED", patch=None) is None
    await changed(namespace=None, name=None)
    assert keys == [("shop", "web"), ("", "")]


async def test_there_are_no_other_handlers(
    made: tuple[kopf.OperatorRegistry, list[tuple[str, str]]],
) -> None:
    """State-changing ones cost a request an event, daemons a task and a finalizer an object."""
    registry, _ = made
    others = (registry._changing, registry._spawning, registry._indexing, registry._webhooks)
    assert [list(one.get_all_handlers()) for one in others] == [[], [], [], []]
    activities = [one.activity for one in registry._activities.get_all_handlers()]
    assert [activity and activity.value for activity in activities] == ["authentication"]


async def test_kopf_logs_in_as_the_client_does(tmp_path: Path) -> None:
    """The same server, the same token."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    info = await watching.connection_info(await connect(kubeconfig=str(kubeconfig)))
    assert info.server == "https://example.invalid:6443"
    assert (info.scheme, info.token) == ("Bearer", "secret")
    assert info.default_namespace == "shop"


def test_kopf_never_gives_up_and_never_writes() -> None:
    """Its pauses have no end, and it posts, peers and scans nothing."""
    chosen = settings.settings()
    assert not chosen.posting.enabled
    assert chosen.peering.standalone
    assert chosen.scanning.disabled
    backoffs = chosen.networking.error_backoffs
    assert isinstance(backoffs, Iterable)
    for _ in range(2):
        pauses = list(itertools.islice(backoffs, 100))
        assert len(pauses) == 100
        assert pauses == sorted(pauses)
        assert 0 < pauses[0] <= pauses[-1] <= 30
