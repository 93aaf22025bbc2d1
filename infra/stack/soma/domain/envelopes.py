"""What travels through a stream: an id that is the same at every delivery, and a body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

MESSAGES = "soma:messages"
TASKS = "soma:tasks"
TOOLS = "soma:tools"
DEAD = "soma:dead"


class MalformedError(Exception):
    """Raised when an entry is no envelope, or its body lacks something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One thing to be done; effects are bound to the id."""

    id: UUID
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Give a text of the body, or raise MalformedError."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise MalformedError(f"the body has no text {name!r}")
        return value

    def fields(self) -> dict[str, str]:
        """Write it as a stream's entry."""
        return {"id": str(self.id), "body": json.dumps(self.body)}


def parse(fields: Mapping[str, str]) -> Envelope:
    """Read a stream's entry, or raise MalformedError."""
    try:
        identity, body = UUID(fields["id"]), json.loads(fields["body"])
    except (KeyError, ValueError) as error:
        raise MalformedError(f"no envelope: {error!r}") from error
    if not isinstance(body, dict):
        raise MalformedError("the body is no object")
    return Envelope(id=identity, body=body)
