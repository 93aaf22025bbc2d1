"""The route's writes on a real API server: what is taken, and what answers conflict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.nginx import CONTEXT, ingress, path
from gatewaycanary.core.writes import JsonPatch, pointer
from gatewaycanary.kube.errors import AlreadyExistsError, ConflictError
from gatewaycanary.traffic.nginx import Nginx
from gatewaycanary.traffic.protocol import RouteContext
from integration.traffic.places import Place

pytestmark = pytest.mark.apiserver

NGINX = Nginx()
STABLE = ingress(
    paths=[path("/", "web"), path("/api", "web", port=80), path("/pay", "pay")],
    annotations={"nginx.ingress.kubernetes.io/affinity": "cookie"},
    tls=[{"hosts": ["shop.example"], "secretName": "shop-tls"}],
)
TOUCH = {"metadata": {"annotations": {"example.com/team": "x"}}}


def here(place: Place) -> RouteContext:
    """Give the context in this namespace."""
    return replace(CONTEXT, namespace=place.namespace)


async def raised(place: Place, weight: int) -> dict[str, object]:
    """Raise to a weight and give our Ingress."""
    return await place.send(NGINX.raise_weight(here(place), place, weight=weight))


async def test_whole_life(place: Place) -> None:
    """Ramp, withdrawal with mark and restore are taken, and each is read back."""
    await place.put(STABLE)
    for weight in (5, 10, 25, 50, 75, 100):
        await raised(place, weight)
        view = NGINX.view(here(place), place)
        assert (view.attached, view.weight) == (True, weight)
        assert NGINX.raise_weight(here(place), place, weight=weight) is None
    await place.send(NGINX.withdraw(here(place), place, mark="abc-1"))
    view = NGINX.view(here(place), place)
    assert (view.weight, view.withdrawn) == (0, "abc-1")
    assert NGINX.withdraw(here(place), place, mark="abc-1") is None
    await place.send(NGINX.restore(here(place), place))
    assert not NGINX.view(here(place), place).attached


async def test_stale_raise(place: Place) -> None:
    """A raise made before somebody else's write answers 409 and does not move the weight."""
    await place.put(STABLE)
    ours = await raised(place, 5)
    stale = NGINX.raise_weight(here(place), place, weight=10)
    await place.edit(ours, TOUCH)
    with pytest.raises(ConflictError) as refused:
        await place.send(stale)
    assert refused.value.status == 409
    await raised(place, 10)
    assert NGINX.view(here(place), place).weight == 10


async def test_second_first_raise(place: Place) -> None:
    """Of two first raises the second finds the name taken."""
    await place.put(STABLE)
    write = NGINX.raise_weight(here(place), place, weight=5)
    await place.send(write)
    with pytest.raises(AlreadyExistsError):
        await place.send(write)


async def test_withdrawal_passes_a_busy_writer(place: Place) -> None:
    """A withdrawal made before other writes is taken all the same."""
    await place.put(STABLE)
    ours = await raised(place, 50)
    withdrawal = NGINX.withdraw(here(place), place, mark="abc-1")
    await place.edit(ours, TOUCH)
    await place.send(withdrawal)
    view = NGINX.view(here(place), place)
    assert (view.weight, view.withdrawn) == (0, "abc-1")


async def test_withdrawal_of_anothers(place: Place) -> None:
    """A withdrawal never reaches an Ingress that is not ours: 422, a conflict here."""
    await place.put(STABLE)
    ours = await raised(place, 50)
    withdrawal = NGINX.withdraw(here(place), place, mark="abc-1")
    await place.edit(ours, {"metadata": {"labels": {"canary.soma.dev/owner-uid": "another"}}})
    with pytest.raises(ConflictError) as refused:
        await place.send(withdrawal)
    assert refused.value.status == 422


async def test_restore_of_a_recreated_one(place: Place) -> None:
    """A restore deletes only the very object that was seen."""
    await place.put(STABLE)
    await raised(place, 5)
    restore = NGINX.restore(here(place), place)
    await place.send(restore)
    await raised(place, 5)
    with pytest.raises(ConflictError) as refused:
        await place.send(restore)
    assert refused.value.status == 409


async def test_stable_is_never_written(place: Place) -> None:
    """The user's Ingress has the version it was made with, whatever was done."""
    made = await place.put(STABLE)
    await raised(place, 5)
    await place.send(NGINX.withdraw(here(place), place, mark=""))
    await place.send(NGINX.restore(here(place), place))
    again = await place.edit(made, {})
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_removed_annotations(place: Place) -> None:
    """With all annotations taken away a raise and a withdrawal still go through."""
    await place.put(STABLE)
    ours = await raised(place, 50)
    await place.edit(ours, {"metadata": {"annotations": None}})
    assert NGINX.view(here(place), place).weight is None
    await raised(place, 50)
    assert NGINX.view(here(place), place).weight == 50
    await place.edit(ours, {"metadata": {"annotations": None}})
    await place.send(NGINX.withdraw(here(place), place, mark="abc-1"))
    assert NGINX.view(here(place), place).weight == 0


async def test_pointers_reach_annotations(place: Place) -> None:
    """A key with a slash is one step of a pointer."""
    await place.put(STABLE)
    await raised(place, 5)
    key = "canary.soma.dev/withdrawn"
    write = JsonPatch(
        api_version="networking.k8s.io/v1",
        kind="Ingress",
        namespace=place.namespace,
        name="web-canary",
        operations=(
            {"op": "add", "path": pointer("metadata", "annotations", key), "value": "a/~b"},
        ),
    )
    answer = await place.send(write)
    assert answer["metadata"]["annotations"][key] == "a/~b"
