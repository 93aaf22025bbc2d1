"""Settings by environment. Every error names its variable; no value is ever told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from soma.domain.faults import Faults

PREFIX = "SOMA_"


class Role(StrEnum):
    """What a process is."""

    GATEWAY = "gateway"
    CONVERSATION_WORKER = "conversation-worker"
    TOOL_EXECUTOR = "tool-executor"
    DELEGATION_GATEWAY = "delegation-gateway"
    DELEGATION_WORKER = "delegation-worker"
    MEMORY_SERVICE = "memory-service"
    UI = "ui"
    OUTBOX_SYNC = "outbox-sync"


HTTP_PORTS: Mapping[Role, int] = {
    Role.GATEWAY: 8010,
    Role.DELEGATION_GATEWAY: 8015,
    Role.UI: 8080,
}
METRICS_PORTS: Mapping[Role, int] = {
    Role.CONVERSATION_WORKER: 9401,
    Role.TOOL_EXECUTOR: 9402,
    Role.DELEGATION_WORKER: 9403,
    Role.MEMORY_SERVICE: 9404,
    Role.OUTBOX_SYNC: 9405,
}
NEEDS: Mapping[Role, tuple[str, ...]] = {
    Role.GATEWAY: ("database_url",),
    Role.CONVERSATION_WORKER: ("database_url", "redis_url", "memory_address"),
    Role.TOOL_EXECUTOR: ("redis_url",),
    Role.DELEGATION_GATEWAY: ("database_url",),
    Role.DELEGATION_WORKER: ("database_url", "redis_url"),
    Role.MEMORY_SERVICE: ("database_url",),
    Role.UI: ("gateway_url",),
    Role.OUTBOX_SYNC: ("database_url", "redis_url"),
}


class SettingsError(Exception):
    """Raised when the environment is wrong; names every variable that is."""


def variable(field: str) -> str:
    """Name the variable of a field."""
    return PREFIX + field.upper()


class Settings(BaseModel):
    """All settings; a role reads those that it needs."""

    # Kubernetes adds variables of its own for Services, SOMA_GATEWAY_PORT for one.
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=variable)

    database_url: SecretStr = Field(SecretStr(""), description="PostgreSQL, `postgresql://…`")
    redis_url: SecretStr = Field(SecretStr(""), description="Redis, `redis://…` or `rediss://…`")
    memory_address: str = Field("", description="memory-service, `host:port`")
    gateway_url: str = Field("", description="the gateway that the page asks, `http://…`")
    bind_address: str = Field("0.0.0.0", description="the address that all ports listen on")
    http_port: int = Field(0, ge=0, le=65535, description="the HTTP port; 0 is the role's own")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="health and metrics of a worker; 0 is the role's own"
    )
    grpc_port: int = Field(20017, ge=1, le=65535, description="memory-service's gRPC port")
    version: str = Field("0.0.0", min_length=1, description="what `/v1/version` answers")
    auth_mode: Literal["off", "token"] = Field("off", description="`token` asks for a bearer token")
    auth_token: SecretStr = Field(SecretStr(""), description="that token")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="the least level that is logged"
    )
    concurrency: int = Field(4, ge=1, le=64, description="how many entries a worker has in hand")
    reclaim_ms: int = Field(
        15_000, ge=100, description="after so long without a sign of life another worker takes over"
    )
    max_deliveries: int = Field(
        5, ge=1, description="after so many an entry goes to the stream `soma:dead`"
    )
    keep_hours: int = Field(
        24, ge=1, description="how long outbox-sync keeps rows that are settled"
    )
    poll_ms: int = Field(200, ge=10, description="how often outbox-sync looks for rows")
    resend_ms: int = Field(
        60_000,
        ge=100,
        description="after so long without an effect a row is sent again, then rarer each time",
    )
    tool_timeout_ms: int = Field(5_000, ge=100, description="how long a tool's result is awaited")
    task_pace_ms: int = Field(500, ge=0, description="the least time of a task's step")
    drain_ms: int = Field(
        2_000, ge=0, description="how long requests are still taken after SIGTERM, not ready"
    )
    shutdown_ms: int = Field(
        20_000, ge=100, description="what is in hand then has so long to finish"
    )
    fault_error_rate: float = Field(0.0, ge=0, le=1, description="the share that fails, 0 to 1")
    fault_latency_ms: int = Field(0, ge=0, le=600_000, description="added to everything")
    fault_health: Literal["ok", "failing"] = Field(
        "ok", description="`failing`: not live, not ready, not SERVING"
    )
    fault_answer: Literal["right", "wrong"] = Field(
        "right", description="`wrong`: the gateway shows another answer"
    )

    def faults(self) -> Faults:
        """Gather what is to go wrong."""
        return Faults(
            error_rate=self.fault_error_rate,
            latency_ms=self.fault_latency_ms,
            health=self.fault_health,
            answer=self.fault_answer,
        )

    def port(self, role: Role) -> int:
        """Give the port of health and metrics, for HTTP roles that of the API."""
        if role in HTTP_PORTS:
            return self.http_port or HTTP_PORTS[role]
        return self.metrics_port or METRICS_PORTS[role]


_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "database_url": ("postgresql://", "postgres://"),
    "redis_url": ("redis://", "rediss://"),
    "gateway_url": ("http://", "https://"),
}


def read(environment: Mapping[str, str], *, role: Role) -> Settings:
    """Read a role's settings, or raise SettingsError."""
    settings = _parsed(environment)
    return _checked(settings, NEEDS[role], who=role)


def read_database(environment: Mapping[str, str]) -> Settings:
    """Read what a migration needs, or raise SettingsError."""
    return _checked(_parsed(environment), ("database_url",), who="migrate")


def read_trial(environment: Mapping[str, str]) -> Settings:
    """Read what the trial of a release needs, or raise SettingsError."""
    return _checked(_parsed(environment), ("gateway_url", "memory_address"), who="check")


def _parsed(environment: Mapping[str, str]) -> Settings:
    given = {key: value for key, value in environment.items() if key.startswith(PREFIX) and value}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        told = [f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_input=False)]
        raise SettingsError("; ".join(told)) from None


def _checked(settings: Settings, needs: tuple[str, ...], *, who: str) -> Settings:
    wrong = [f"{variable(name)} is needed by {who}" for name in needs if not _plain(settings, name)]
    for name, schemes in _SCHEMES.items():
        value = _plain(settings, name)
        if value and not value.startswith(schemes):
            wrong.append(f"{variable(name)} must start with {' or '.join(schemes)}")
    if settings.auth_mode == "token" and not settings.auth_token.get_secret_value():
        wrong.append(f"{variable('auth_token')} is needed by {variable('auth_mode')}=token")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return settings


def _plain(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
