"""What a release must do: the commands of its Helm tests, each asking as the users do.

A trial ends well or raises TrialError, whose message says in a line what is not as it should be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from soma.memory.client import Memory, MemoryAwayError
from soma.settings import Settings

PATIENCE = 30.0
"""Seconds within which a message is answered."""

_QUESTION = "what is 6 * 7?"
_ANSWER = "The answer is 42."


class TrialError(Exception):
    """Raised when a release does not do what it must."""


async def health(settings: Settings) -> str:
    """Ask whether the gateway lives, is ready, and which version it is."""
    async with _gateway(settings) as gateway:
        await _asked(gateway.get("/v1/health"))
        await _asked(gateway.get("/v1/ready"))
        version = (await _asked(gateway.get("/v1/version"))).json()["version"]
    return f"the gateway is ready: version {version}"


async def message(settings: Settings) -> str:
    """Send a message through the gateway, and expect the right answer."""
    session = f"trial-{uuid4().hex[:12]}"
    async with _gateway(settings) as gateway:
        await _asked(gateway.post(f"/v1/sessions/{session}/messages", json={"text": _QUESTION}))
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await _answer(gateway, session)
        except TimeoutError as error:
            raise TrialError(f"{_QUESTION!r} was not answered in {PATIENCE:.0f} s") from error
    if answer != _ANSWER:
        raise TrialError(f"{_QUESTION!r} was answered {answer!r}, not {_ANSWER!r}")
    return f"{_QUESTION!r} was answered {answer!r}"


async def grpc(settings: Settings) -> str:
    """Ask memory-service for its health."""
    async with Memory(settings.memory_address) as memory:
        try:
            await memory.check()
        except MemoryAwayError as error:
            raise TrialError(f"memory-service does not serve: {error}") from error
    return "memory-service is serving"


async def metrics(settings: Settings) -> str:
    """Expect the gateway to tell who it is where Prometheus asks."""
    async with _gateway(settings) as gateway:
        told = (await _asked(gateway.get("/metrics"))).text
    found = [line for line in told.splitlines() if line.startswith("soma_build_info")]
    if not found:
        raise TrialError("the gateway's metrics have no soma_build_info")
    return found[0]


TRIALS: Mapping[str, Callable[[Settings], Awaitable[str]]] = {
    each.__name__: each for each in (health, message, grpc, metrics)
}


@asynccontextmanager
async def _gateway(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    token = settings.auth_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if settings.auth_mode == "token" else {}
    async with httpx.AsyncClient(
        base_url=settings.gateway_url, headers=headers, timeout=10.0
    ) as client:
        yield client


async def _asked(request: Awaitable[httpx.Response]) -> httpx.Response:
    try:
        answer = await request
    except httpx.HTTPError as error:
        raise TrialError(f"the gateway does not answer: {error!r}") from error
    if answer.is_error:
        path = answer.request.url.path
        raise TrialError(f"{path} was answered {answer.status_code}: {answer.text[:200]}")
    return answer


async def _answer(gateway: httpx.AsyncClient, session: str) -> str:
    while True:
        shown = (await _asked(gateway.get(f"/v1/sessions/{session}"))).json()
        for one in shown["messages"]:
            if one["role"] == "assistant":
                return str(one["text"])
        # NB: the API tells nobody when an answer comes; its page asks as often.
        await asyncio.sleep(0.3)
