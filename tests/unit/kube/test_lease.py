"""Leader election in virtual time: who leads, for how long, and who may write meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.kube.errors import FencedError
from gatewaycanary.kube.lease import Lease, Terms, boot_clock
from unit.kube.lease_server import LeaseClient, LeaseServer
from unit.kube.virtual_time import VirtualLoop, now, virtual


class Candidate:
    """One process that wants to lead."""

    def __init__(self, server: LeaseServer, identity: str) -> None:
        self.client = LeaseClient(server)
        self.asleep_for = 0.0
        self.lease = Lease(
            client=self.client,
            namespace="a",
            name="operator",
            identity=identity,
            rng=Random(identity),
            clock=lambda: now() + self.asleep_for,
        )
        self.task = asyncio.create_task(self.lease.run())

    async def stop(self) -> None:
        """Shut down cleanly."""
        self.task.cancel()
        with suppress(asyncio.CancelledError, FencedError):
            await self.task

    async def kill(self) -> None:
        """Die without a word to the server."""
        self.client.cut = True
        await self.stop()


@asynccontextmanager
async def candidates(*names: str) -> AsyncIterator[tuple[LeaseServer, list[Candidate]]]:
    """Start candidates, the first of which leads, and stop them at the end."""
    server = LeaseServer()
    started: list[Candidate] = []
    try:
        for name in names:
            started.append(Candidate(server, name))
            await asyncio.sleep(1)
        assert started[0].lease.is_leader
        yield server, started
    finally:
        for candidate in started:
            await candidate.stop()


@virtual
async def test_the_first_leads_and_the_second_stands_by() -> None:
    """One leader for as long as it renews, whoever else is there."""
    async with candidates("one", "two") as (server, (first, second)):
        await asyncio.sleep(600)
        assert first.lease.is_leader
        assert not second.lease.is_leader
        assert server.holders == ["one"]


@virtual
async def test_a_standby_costs_no_requests() -> None:
    """It watches: one look and one watch, however long it stands by."""
    async with candidates("one", "two") as (_, (_, second)):
        await asyncio.sleep(600)
        assert second.client.requests == 2


@virtual
async def test_the_leader_renews_at_its_pace_and_no_faster() -> None:
    """About one request each two seconds."""
    async with candidates("one") as (_, (first,)):
        before = first.client.requests
        await asyncio.sleep(600)
        assert 280 <= first.client.requests - before <= 300


@virtual
async def test_a_clean_shutdown_hands_over_within_a_second() -> None:
    """The lease is freed, the standby sees it at once."""
    async with candidates("one", "two") as (server, (first, second)):
        before = now()
        await first.stop()
        assert not first.lease.is_leader
        await second.lease.leading.wait()
        assert now() - before < 1.0
        assert server.holders == ["one", "", "two"]


@virtual
async def test_a_killed_leader_is_followed_after_the_lease_and_not_before() -> None:
    """Fifteen seconds of silence, counted from the last renewal."""
    async with candidates("one", "two") as (_, (first, second)):
        before = now()
        await first.kill()
        await second.lease.leading.wait()
        assert 12.9 <= now() - before <= 15.2


@virtual
async def test_a_cut_off_leader_falls_silent_before_anybody_follows() -> None:
    """Its own right ends ten seconds after its last renewal, the lease only after fifteen."""
    async with candidates("one", "two") as (_, (first, second)):
        first.client.cut = True
        cut = now()
        with pytest.raises(FencedError):
            await first.task
        assert 7.9 <= now() - cut <= 10.1
        with pytest.raises(FencedError):
            first.lease.fence()
        assert not second.lease.is_leader
        await second.lease.leading.wait()
        assert now() - cut <= 15.2


@virtual
async def test_a_write_is_bounded_by_the_lease() -> None:
    """No write may still be under way when another could take over."""
    async with candidates("one") as (_, (first,)):
        first.client.cut = True
        for _ in range(7):
            await asyncio.sleep(1)
            allowed = first.lease.fence()
            assert 5.0 < allowed <= 15.0 - 1.0


@virtual
async def test_a_renewal_counts_from_before_it_was_sent() -> None:
    """What the way there and back took is no part of the leader's time."""
    async with candidates("one") as (_, (first,)):
        first.client.delay = 1.0
        await asyncio.sleep(7)
        for _ in range(100):
            await asyncio.sleep(0.1)
            assert first.lease.fence() <= 15.0 - 2 * 1.0


@virtual
async def test_nobody_may_write_before_leading() -> None:
    """A standby's fence is shut."""
    async with candidates("one", "two") as (_, (_, second)):
        with pytest.raises(FencedError, match="two does not hold a/operator"):
            second.lease.fence()


@virtual
async def test_a_short_cut_costs_nothing() -> None:
    """A leader that reaches the server again in time goes on leading."""
    async with candidates("one", "two") as (server, (first, _)):
        first.client.cut = True
        await asyncio.sleep(4)
        first.client.cut = False
        await asyncio.sleep(60)
        assert first.lease.is_leader
        assert server.holders == ["one"]


@virtual
async def test_lost_answers_do_not_lose_the_lease() -> None:
    """A renewal that took effect without its answer does not make the next one a conflict."""
    async with candidates("one") as (server, (first,)):
        first.client.lose_answers = True
        await asyncio.sleep(5)
        first.client.lose_answers = False
        await asyncio.sleep(60)
        assert first.lease.is_leader
        assert server.holders == ["one"]


@virtual
async def test_many_writers_do_not_lose_the_lease() -> None:
    """A 409 says that somebody wrote the Lease at the same time, not that it has another holder."""
    async with candidates("one", "two") as (server, (first, _)):
        first.client.busy = True
        await asyncio.sleep(5)
        first.client.busy = False
        await asyncio.sleep(60)
        assert first.lease.is_leader
        assert server.holders == ["one"]


@virtual
async def test_many_writers_for_too_long() -> None:
    """Whoever cannot renew in time falls silent, for whatever reason, and is followed."""
    async with candidates("one", "two") as (server, (first, second)):
        first.client.busy = True
        with pytest.raises(FencedError, match="in time"):
            await first.task
        await second.lease.leading.wait()
        assert server.holders == ["one", "two"]


@virtual
async def test_a_leader_that_was_asleep_does_not_write_on() -> None:
    """A machine that slept through its deadline wakes up fenced, before it asked anybody."""
    async with candidates("one") as (_, (first,)):
        first.asleep_for = 60.0
        with pytest.raises(FencedError):
            first.lease.fence()
        with pytest.raises(FencedError):
            await first.task


@virtual
async def test_a_leader_whose_lease_was_deleted_or_taken_exits() -> None:
    """A person's way to force an election."""
    async with candidates("one", "two") as (server, (first, second)):
        server.delete()
        with pytest.raises(FencedError, match="lost the lease"):
            await first.task
        await second.lease.leading.wait()
        assert server.holders == ["one", "two"]


@virtual
async def test_changes_that_are_not_renewals_do_not_prolong_the_lease() -> None:
    """Somebody's annotation is no sign of life of the holder."""
    async with candidates("one", "two") as (server, (first, second)):
        await first.kill()
        before = now()
        for _ in range(20):
            await asyncio.sleep(1)
            if second.lease.is_leader:
                break
            assert server.lease is not None
            server.store(server.lease)
        assert second.lease.is_leader
        assert now() - before <= 16.2


@virtual
async def test_a_restart_under_the_same_identity_leads_at_once() -> None:
    """The lease is its own already."""
    async with candidates("one") as (server, (first,)):
        await first.kill()
        before = now()
        again = Candidate(server, "one")
        await again.lease.leading.wait()
        assert now() - before < 1.0
        await again.stop()


@virtual
async def test_a_namesake_that_lives_is_soon_noticed() -> None:
    """Two processes under one name: the elder stops at its next renewal."""
    async with candidates("one") as (server, (first,)):
        again = Candidate(server, "one")
        await again.lease.leading.wait()
        taken = now()
        with pytest.raises(FencedError, match="lost the lease"):
            await first.task
        assert now() - taken <= 2.1
        await asyncio.sleep(60)
        assert again.lease.is_leader
        await again.stop()


def test_terms_that_cannot_be_safe_are_refused() -> None:
    """A holder must fall silent before the lease runs out, and renew before that."""
    with pytest.raises(ValueError, match="retry < deadline < duration"):
        Terms(duration=10, deadline=10.0)
    with pytest.raises(ValueError, match="retry < deadline < duration"):
        Terms(retry=10.0)


def test_the_clock_goes_on() -> None:
    """The fence's own clock never goes back."""
    assert boot_clock() <= boot_clock()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_never_two_at_once(seed: int) -> None:
    """Cuts, lost answers, sleeps, kills, restarts: at no moment may two write, and one soon can."""
    print(f"seed={seed}")
    rng = Random(seed)

    async def main() -> None:
        server = LeaseServer()
        crowd = [Candidate(server, f"c{n}") for n in range(3)]
        for turn in range(60):
            _disturb(rng, crowd, server, turn)
            for _ in range(20):
                await asyncio.sleep(0.1 * rng.random())
                assert sum(each.lease.is_leader for each in crowd) <= 1
        for each in crowd:
            each.client.cut = each.client.lose_answers = False
        crowd.append(Candidate(server, "last"))
        await asyncio.sleep(40)
        assert sum(each.lease.is_leader for each in crowd) == 1
        for each in crowd:
            await each.stop()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def _disturb(rng: Random, crowd: list[Candidate], server: LeaseServer, turn: int) -> None:
    place = rng.randrange(len(crowd))
    victim = crowd[place]
    match rng.randrange(8):
        case 0:
            victim.client.cut = not victim.client.cut
        case 1:
            victim.client.lose_answers = not victim.client.lose_answers
        case 2:
            victim.asleep_for += rng.random() * 30
        case 3:
            victim.client.delay = rng.choice([0.001, 0.01, 1.0])
        case 4:
            victim.task.cancel()
            crowd[place] = Candidate(server, f"new{turn}")
        case _:
            if victim.task.done():
                victim.task.exception()
                crowd[place] = Candidate(server, f"new{turn}")
