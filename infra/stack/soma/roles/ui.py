"""ui: one page, and the few requests that it makes passed on to the gateway.

A token is the user's: it is passed on as it came, and this service holds none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Annotated

import httpx
from fastapi import APIRouter, Header, HTTPException, Request, Response

from soma.roles.gateway import SessionId

SECONDS = 5.0
LARGEST = 20_000
_PAGE = files("soma") / "pages"
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"

Authorization = Annotated[str | None, Header()]


def connected(gateway: str) -> httpx.AsyncClient:
    """Make a client of the gateway."""
    return httpx.AsyncClient(base_url=gateway.rstrip("/"), timeout=SECONDS)


def routes(gateway: httpx.AsyncClient) -> APIRouter:
    """Make the page and what it asks for."""
    router = APIRouter()
    _pages(router)

    @router.get("/api/sessions/{session_id}")
    async def show(session_id: SessionId, authorization: Authorization = None) -> Response:
        request = gateway.build_request("GET", f"/v1/sessions/{session_id}")
        return await _passed(gateway, request, authorization)

    @router.post("/api/sessions/{session_id}/messages")
    async def say(
        session_id: SessionId, asked: Request, authorization: Authorization = None
    ) -> Response:
        body = await asked.body()
        if len(body) > LARGEST:
            raise HTTPException(413, "the message is too long")
        request = gateway.build_request(
            "POST",
            f"/v1/sessions/{session_id}/messages",
            content=body,
            headers={"Content-Type": "application/json"},
        )
        return await _passed(gateway, request, authorization)

    return router


def _pages(router: APIRouter) -> None:
    for path, name, kind in (
        ("/", "page.html", "text/html"),
        ("/page.js", "page.js", "text/javascript"),
        ("/page.css", "page.css", "text/css"),
    ):
        router.add_api_route(path, _page(name, kind), methods=["GET"], include_in_schema=False)


def _page(name: str, kind: str) -> Callable[[], Awaitable[Response]]:
    text = (_PAGE / name).read_text()

    async def give() -> Response:
        return Response(text, media_type=kind, headers={"Content-Security-Policy": _POLICY})

    return give


async def _passed(
    gateway: httpx.AsyncClient, request: httpx.Request, authorization: str | None
) -> Response:
    if authorization:
        request.headers["Authorization"] = authorization
    try:
        answer = await gateway.send(request)
    except httpx.TransportError as error:
        raise HTTPException(502, "the gateway does not answer") from error
    told = {"x-gateway-version": answer.headers.get("x-soma-version", "")}
    kind = answer.headers.get("content-type", "application/json")
    return Response(answer.content, answer.status_code, told, media_type=kind)
