"""The token bucket, in virtual time."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.kube.limiter import Limiter
from unit.kube.virtual_time import VirtualLoop, now, settle, virtual


async def _passes(limiter: Limiter, count: int) -> list[float]:
    async def one() -> float:
        await limiter.acquire()
        return now()

    return list(await asyncio.gather(*(one() for _ in range(count))))


@virtual
async def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    """After a rest `burst` requests go out together, then one each 1/qps seconds."""
    times = await _passes(Limiter(qps=10, burst=3), 6)
    assert times == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3], abs=1e-4)


@virtual
async def test_a_rest_fills_the_bucket_but_not_beyond_the_burst() -> None:
    """A long rest is worth one burst."""
    limiter = Limiter(qps=10, burst=3)
    await _passes(limiter, 3)
    await asyncio.sleep(3600)
    start = now()
    times = await _passes(limiter, 5)
    assert [time - start for time in times] == pytest.approx([0, 0, 0, 0.1, 0.2], abs=1e-4)


@virtual
async def test_urgent_overtakes_normal_and_each_class_keeps_its_order() -> None:
    """Urgent requests go before all that wait, first come first served among themselves."""
    limiter = Limiter(qps=1, burst=1)
    await limiter.acquire()
    order: list[str] = []

    async def one(name: str, *, urgent: bool) -> None:
        await limiter.acquire(urgent=urgent)
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        for name in ("n1", "n2", "u1", "u2"):
            tasks.create_task(one(name, urgent=name.startswith("u")))
            await settle()
    assert order == ["u1", "u2", "n1", "n2"]


@virtual
async def test_nobody_slips_past_those_who_wait() -> None:
    """A newcomer does not take the token that a waiter is owed."""
    limiter = Limiter(qps=1, burst=1)
    await limiter.acquire()
    order: list[str] = []

    async def one(name: str) -> None:
        await limiter.acquire()
        order.append(name)

    first = asyncio.create_task(one("first"))
    await asyncio.sleep(0.999999)
    second = asyncio.create_task(one("second"))
    await asyncio.gather(first, second)
    assert order == ["first", "second"]


@virtual
async def test_a_cancelled_waiter_costs_no_token() -> None:
    """Who gives up while waiting leaves the token to the next."""
    limiter = Limiter(qps=1, burst=1)
    await limiter.acquire()
    leaver = asyncio.create_task(limiter.acquire())
    stayer = asyncio.create_task(limiter.acquire())
    await settle()
    assert limiter.waiting == 2
    leaver.cancel()
    await stayer
    assert now() == pytest.approx(1.0, abs=1e-4)
    assert limiter.waiting == 0


@virtual
async def test_a_waiter_cancelled_after_its_grant_hands_the_token_on() -> None:
    """Cancelling between the grant and the wake-up loses nothing."""
    limiter = Limiter(qps=1, burst=1)
    await limiter.acquire()
    leaver = asyncio.create_task(limiter.acquire())
    stayer = asyncio.create_task(limiter.acquire())
    await settle()
    # So near to the grant that the loop runs both before either task.
    asyncio.get_running_loop().call_at(1.000001 + 5e-10, leaver.cancel)
    await stayer
    assert leaver.cancelled()
    assert now() == pytest.approx(1.0, abs=1e-4)


@virtual
async def test_an_idle_limiter_has_no_timer() -> None:
    """When nobody waits, nothing is scheduled: a wait for ever is then a deadlock, not a spin."""
    limiter = Limiter(qps=100, burst=1)
    await _passes(limiter, 5)
    start = now()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000):
            await asyncio.get_running_loop().create_future()
    assert now() == pytest.approx(start + 1000)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(min_value=0, max_value=2**32), qps=st.integers(1, 50), burst=st.integers(1, 9)
)
def test_the_rate_holds_whatever_happens(seed: int, qps: int, burst: int) -> None:
    """In any window of t seconds at most burst + qps·t pass, and all that stay get through."""
    rng = Random(seed)
    passed: list[float] = []

    async def one(limiter: Limiter) -> None:
        await asyncio.sleep(rng.random() * 3)
        await limiter.acquire(urgent=rng.random() < 0.3)
        passed.append(now())

    async def main() -> int:
        limiter = Limiter(qps=qps, burst=burst)
        tasks = [asyncio.create_task(one(limiter)) for _ in range(40)]
        for task in rng.sample(tasks, 10):
            asyncio.get_running_loop().call_at(rng.random() * 4, task.cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        return sum(result is None for result in results)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        stayed = runner.run(main())
    assert stayed == len(passed) >= 30
    for i, start in enumerate(passed):
        for n, end in enumerate(passed[i:], 1):
            assert n <= burst + qps * (end - start) + 1e-3
