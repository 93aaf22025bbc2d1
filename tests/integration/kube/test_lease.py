"""Two candidates for one Lease on a real API server, in real time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import FencedError
from gatewaycanary.kube.lease import Lease, Terms
from gatewaycanary.kube.resources import CONFIG_MAP, LEASE

pytestmark = pytest.mark.apiserver

SHORT = Terms(duration=6, deadline=4.0, retry=0.3)


@asynccontextmanager
async def candidate(
    client: Client, namespace: str, identity: str
) -> AsyncIterator[tuple[Lease, asyncio.Task[None]]]:
    """Take part in the election for as long as the block lasts."""
    lease = Lease(
        client=client,
        namespace=namespace,
        name="operator",
        identity=identity,
        rng=Random(identity),
        terms=SHORT,
    )
    task = asyncio.create_task(lease.run())
    try:
        yield lease, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, FencedError):
            await task


async def test_a_clean_handover(client: Client, namespace: str) -> None:
    """The second leads within a second of the first's shutdown, and never beside it."""
    clock = asyncio.get_running_loop().time
    async with candidate(client, namespace, "two") as (second, _):
        async with asyncio.timeout(20):
            await second.leading.wait()
        async with candidate(client, namespace, "one") as (first, task):
            await asyncio.sleep(1)
            assert second.is_leader
            assert not first.is_leader
    # Both have left; the lease is free, and who comes next need not wait it out.
    lease = await client.get(LEASE, namespace=namespace, name="operator")
    assert lease["spec"]["holderIdentity"] == ""
    async with candidate(client, namespace, "three") as (third, task):
        started = clock()
        await asyncio.wait_for(third.leading.wait(), 20)
        assert clock() - started < 1.0
        async with candidate(client, namespace, "four") as (fourth, _):
            await asyncio.sleep(0.5)
            left = clock()
            task.cancel()
            await asyncio.wait_for(fourth.leading.wait(), 20)
            assert clock() - left < 1.0
            assert not third.is_leader
    lease = await client.get(LEASE, namespace=namespace, name="operator")
    assert lease["spec"]["leaseTransitions"] == 2


async def test_a_silent_leader_is_followed(client: Client, namespace: str) -> None:
    """A holder that renews no more loses the lease after its duration, and its own right before."""
    body = {
        "metadata": {"name": "operator"},
        "spec": {
            "holderIdentity": "dead",
            "leaseDurationSeconds": 2,
            "acquireTime": "2026-01-01T00:00:00.000000Z",
            "renewTime": "2026-01-01T00:00:00.000000Z",
        },
    }
    await client.create(LEASE, body, namespace=namespace)
    clock = asyncio.get_running_loop().time
    started = clock()
    async with candidate(client, namespace, "next") as (lease, _):
        await asyncio.wait_for(lease.leading.wait(), 20)
        assert 1.9 <= clock() - started <= 4.0


async def test_a_leader_that_is_robbed_may_not_write(client: Client, namespace: str) -> None:
    """Somebody puts another name into the Lease: no write of ours goes out any more."""
    async with candidate(client, namespace, "one") as (lease, task):
        await asyncio.wait_for(lease.leading.wait(), 20)
        fenced = client.fenced(lease.fence)
        await fenced.create(CONFIG_MAP, {"metadata": {"name": "a"}}, namespace=namespace)
        theft = {"spec": {"holderIdentity": "thief"}}
        await client.merge_patch(LEASE, theft, namespace=namespace, name="operator")
        with pytest.raises(FencedError):
            await asyncio.wait_for(task, 20)
        with pytest.raises(FencedError):
            await fenced.create(CONFIG_MAP, {"metadata": {"name": "b"}}, namespace=namespace)
