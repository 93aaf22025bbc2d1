"""`gatewaycanary wait`: follow one GatewayCanary by a watch until its rollout has ended.

The reflector that the operator itself uses keeps the watch alive through every kind of
interruption; each state it brings is judged by the pure rules of `cli.verdicts`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from random import Random
from typing import Any

from gatewaycanary.api.durations import format_duration
from gatewaycanary.cli.connecting import Reach, reached
from gatewaycanary.cli.verdicts import Code, Exit, describe, first_seen, judge, other_image
from gatewaycanary.kube.reflector import Reflector
from gatewaycanary.kube.resources import GATEWAY_CANARY, Object
from gatewaycanary.kube.store import Store
from gatewaycanary.telemetry import logs

Say = Callable[[str], None]


def wait(arguments: argparse.Namespace) -> int:
    """Wait as the arguments say, and return the exit code."""
    logs.configure(level="warning", form="text")
    verdict = asyncio.run(_wait(arguments))
    _say(verdict.text)
    return verdict.code


async def _wait(arguments: argparse.Namespace) -> Exit:
    last = "nothing was seen of it"

    def note(line: str) -> None:
        nonlocal last
        last = line
        _say(line)

    try:
        async with asyncio.timeout(arguments.timeout.total_seconds()):
            async with reached(arguments) as reach:
                return await follow(reach, arguments.name, image=arguments.image, say=note)
    except TimeoutError:
        after = format_duration(arguments.timeout)
        return Exit(code=Code.TIMED_OUT, text=f"not ended after {after}: {last.strip()}")


async def follow(reach: Reach, name: str, *, image: str | None, say: Say) -> Exit:
    """Follow the GatewayCanary of that name to the end of what it asks for now."""
    async with aclosing(states(reach, name)) as seen:
        start = await anext(seen)
        if start is None:
            text = f"there is no GatewayCanary {name} in namespace {reach.namespace}"
            return Exit(code=Code.NOT_OURS, text=text)
        first = first_seen(start)
        refused = other_image(first, image) if image is not None else None
        if refused is not None:
            return refused
        return await _judged(first_state=start, rest=seen, say=say)


async def _judged(*, first_state: Object, rest: AsyncIterator[Object | None], say: Say) -> Exit:
    first = first_seen(first_state)
    current: Object | None = first_state
    said = ""
    while True:
        verdict = judge(first, current)
        line = describe((current or {}).get("status") or {})
        if isinstance(verdict, Exit):
            if current is not None and line != said:
                say(line)
            return verdict
        if verdict.line != said:
            said = verdict.line
            say(said)
        current = await anext(rest)


async def states(reach: Reach, name: str) -> AsyncGenerator[Object | None, None]:
    """Give what is stored under the name now, then after each change; None where it is gone."""
    selector = f"metadata.name={name}"
    listed = await reach.client.list(
        GATEWAY_CANARY, namespace=reach.namespace, field_selector=selector
    )
    changes: asyncio.Queue[Object | None] = asyncio.Queue()
    store: Store[Object] = Store(trim=_whole)
    store.load(listed["items"])
    store.subscribe(lambda _old, new: changes.put_nowait(new))
    reflector = Reflector(
        client=reach.client,
        resource=GATEWAY_CANARY,
        store=store,
        rng=Random(),
        namespace=reach.namespace,
        field_selector=selector,
    )
    following = asyncio.create_task(reflector.run())
    try:
        yield store.get(reach.namespace, name)
        while True:
            yield await changes.get()
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def _whole(obj: dict[str, Any]) -> dict[str, Any]:
    return obj


def _say(line: str) -> None:
    print(line, flush=True)
