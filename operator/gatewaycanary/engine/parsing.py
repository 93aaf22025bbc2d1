"""Read a raw GatewayCanary: once for each version of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from gatewaycanary.api.problems import SpecInvalid
from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.api.status import Status, parse_status
from gatewaycanary.core import naming
from gatewaycanary.core.observation import Meta, Problem
from gatewaycanary.kube.resources import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One version of a GatewayCanary, read."""

    meta: Meta
    spec: GatewayCanarySpec | None
    status: Status
    problems: tuple[Problem, ...] = ()


class UnreadableStatusError(Exception):
    """Raised when a stored status is not one that this version of the operator can go on from."""


def read(raw: Object) -> Parsed:
    """Read a GatewayCanary.

    Raises:
        UnreadableStatusError: the stored position cannot be understood.
    """
    meta = read_meta(raw)
    spec, problems = _read_spec(raw.get("spec") or {}, name=meta.name)
    try:
        status = parse_status(raw.get("status") or {})
    except ValidationError as error:
        raise UnreadableStatusError(_first(error)) from error
    return Parsed(meta=meta, spec=spec, status=status, problems=problems)


def read_meta(raw: Object) -> Meta:
    """Read the metadata that decisions depend on."""
    metadata: dict[str, Any] = raw["metadata"]
    annotations: dict[str, str] = metadata.get("annotations") or {}
    return Meta(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        generation=int(metadata.get("generation", 0)),
        resource_version=metadata.get("resourceVersion", ""),
        deleting=metadata.get("deletionTimestamp") is not None,
        finalizer=naming.FINALIZER in (metadata.get("finalizers") or ()),
        approve=annotations.get(naming.APPROVE_ANNOTATION, ""),
        abort=annotations.get(naming.ABORT_ANNOTATION, ""),
        retry=annotations.get(naming.RETRY_ANNOTATION, ""),
    )


def _read_spec(spec: Object, *, name: str) -> tuple[GatewayCanarySpec | None, tuple[Problem, ...]]:
    try:
        return parse(spec), ()
    except SpecInvalid as error:
        return None, tuple(
            Problem(
                reason="SpecInvalid",
                object=f"GatewayCanary {name}",
                field=field,
                message=message,
                immediate=True,
            )
            for field, message in error.problems
        )


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    return f"{'.'.join(map(str, ('status', *detail['loc'])))}: {detail['msg']}"
