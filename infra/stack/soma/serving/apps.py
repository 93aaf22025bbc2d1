"""The HTTP side that all roles share: health, readiness, version, metrics, faults, the token."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response, params
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soma.domain.faults import FaultError
from soma.serving.checks import Check, problems
from soma.serving.striking import Strikes
from soma.settings import Role, Settings
from soma.telemetry import Metrics

SPARED = frozenset({"/v1/health", "/v1/ready", "/v1/version", "/metrics"})
"""What no fault of the API strikes, so that each can be seen alone."""

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def create(
    settings: Settings,
    *,
    role: Role,
    metrics: Metrics,
    checks: Mapping[str, Check],
    stop: asyncio.Event,
    router: APIRouter | None = None,
) -> FastAPI:
    """Make a role's app."""
    app = FastAPI(title=f"soma {role}", version=settings.version, docs_url=None, redoc_url=None)
    app.include_router(_probes(settings, role=role, checks=checks, stop=stop))
    app.include_router(_exposition(metrics))
    if router:
        app.include_router(router)
    app.add_middleware(_Around, settings=settings, metrics=metrics)
    return app


def token_needed(settings: Settings) -> list[params.Depends]:
    """Give the dependencies of routes that ask for the token, none where it is off."""
    if settings.auth_mode == "off":
        return []
    wanted = settings.auth_token.get_secret_value().encode()

    def check(given: Bearer) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), wanted):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})

    return [Depends(check)]


def unavailable(app: FastAPI, *kinds: type[Exception]) -> None:
    """Answer 503 where a dependency is away."""

    def answer(_request: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "try again"}, 503, {"Retry-After": "1"})

    for kind in kinds:
        app.add_exception_handler(kind, answer)


def _probes(
    settings: Settings, *, role: Role, checks: Mapping[str, Check], stop: asyncio.Event
) -> APIRouter:
    router = APIRouter(prefix="/v1")
    failing = settings.fault_health == "failing"

    @router.get("/health")
    async def health(response: Response) -> dict[str, str]:
        response.status_code = 503 if failing else 200
        return {"status": "failing" if failing else "ok"}

    @router.get("/ready")
    async def ready(response: Response) -> dict[str, object]:
        found = {"health": "fault"} if failing else await problems(checks)
        if stop.is_set():
            found["process"] = "stopping"
        response.status_code = 503 if found else 200
        return {"ready": not found, "problems": found}

    @router.get("/version")
    async def version() -> dict[str, str]:
        return {"version": settings.version, "role": role.value}

    return router


def _exposition(metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/metrics")
    async def expose() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


class _Around:
    """Counts a request, tells the version, and lets faults strike."""

    def __init__(self, app: ASGIApp, *, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._version = settings.version.encode()
        self._metrics = metrics
        self._strikes = Strikes(settings.faults())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, code = time.monotonic(), 500

        async def told(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                message["headers"] = [*message["headers"], (b"x-soma-version", self._version)]
            await send(message)

        try:
            await self._struck(scope, receive, told)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(scope["method"], route, str(code)).inc()
            seconds = time.monotonic() - began
            self._metrics.request_seconds.labels(scope["method"], route).observe(seconds)

    async def _struck(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in SPARED:
            await self._app(scope, receive, send)
            return
        with self._metrics.in_hand.track_inprogress():
            try:
                await self._strikes.pass_through()
            except FaultError as fault:
                await JSONResponse({"detail": str(fault)}, 500)(scope, receive, send)
            else:
                await self._app(scope, receive, send)
