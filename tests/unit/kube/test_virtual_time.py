"""Virtual time itself: exact, instant, and loud when nothing can ever happen."""

import asyncio

import pytest

from unit.kube.virtual_time import StuckError, VirtualLoop, now, virtual


@virtual
async def test_sleep_takes_exactly_its_time() -> None:
    """An hour passes at once, and to the second."""
    await asyncio.sleep(3600)
    assert now() == pytest.approx(3600)


def test_a_deadlock_is_an_error() -> None:
    """A wait that nothing can end fails the test instead of hanging it."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    loop = VirtualLoop()
    with pytest.raises(StuckError):
        loop.run_until_complete(main())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
