"""What the operator is told at its start: one frozen value from the command line to the engine.

It lives below ``app`` and ``cli`` so that both, and the parts that they put together, can name it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the operator runs.

    ``namespaces``: only these; all when empty. ``excluded_namespaces``: never these.
    ``lease_namespace``: None stands for the namespace that the operator runs in.
    ``allow_test_roles``: Helm tests may bring Roles and RoleBindings of their own.
    ``qps`` and ``burst`` bound the requests to the API server.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    excluded_namespaces: tuple[str, ...] = ()
    metrics_port: int = 9090
    probe_port: int = 8081
    leader_elect: bool = True
    lease_name: str = "gatewaycanary"
    lease_namespace: str | None = None
    workers: int = 16
    qps: float = 100.0
    burst: int = 200
    log_level: LogLevel = "info"
    log_format: LogFormat = "text"
    cluster_domain: str = "cluster.local"
    allow_test_roles: bool = False
