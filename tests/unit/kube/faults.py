"""What can happen to an answer besides being given."""

import asyncio

from aiohttp import web


async def hang(_: web.Request) -> None:
    """Say nothing more, until the other side leaves: then the server cancels this."""
    await asyncio.Event().wait()


async def reset(request: web.Request) -> None:
    """Cut the connection without a goodbye."""
    assert request.transport is not None
    request.transport.abort()


async def silence(request: web.Request) -> web.StreamResponse:
    """Give no answer at all."""
    await hang(request)
    return web.Response()


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of answering."""
    await reset(request)
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Promise more bytes than come."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"metadata":')
    await reset(request)
    return response


async def babbles(_: web.Request) -> web.StreamResponse:
    """Answer with something that is no JSON."""
    return web.Response(text="<html>a proxy's greeting</html>")
