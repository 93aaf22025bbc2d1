"""Durations as users write them: ``2m``, ``1h30m``, ``500ms``.

The grammar is the part of Go's that has one reading: whole numbers, each unit at most once,
large units first. CEL's ``duration()`` would also take negatives and fractions, and its error
for a value that it cannot read hides our message; so a pattern guards it, and five digits a
unit keep it from overflowing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gatewaycanary.api.rules import VALIDATIONS

PATTERN = "([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?([0-9]{1,5}ms)?"
MAX_LENGTH = 25
GRAMMAR = "must be a duration in whole h, m, s and ms, such as 30s, 2m or 1h30m"

_COMPILED = re.compile(PATTERN)
_SIZES = (
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "m"),
    (timedelta(seconds=1), "s"),
    (timedelta(milliseconds=1), "ms"),
)
_MOST = 99_999


def parse_duration(text: str) -> timedelta:
    """Read a duration; raise ValueError when it is not one."""
    match = _COMPILED.fullmatch(text)
    if match is None or not text:
        raise ValueError(GRAMMAR)
    numbers = (int((part or "0").rstrip("hms")) for part in match.groups())
    return sum((n * size for n, (size, _) in zip(numbers, _SIZES, strict=True)), timedelta(0))


def format_duration(value: timedelta) -> str:
    """Write a duration the shortest way that ``parse_duration`` reads back; ms precision."""
    text = ""
    for size, unit in _SIZES:
        number = min(value // size, _MOST)
        value -= number * size
        text += f"{number}{unit}" if number else ""
    return text or "0s"


@dataclass(frozen=True, slots=True)
class DurationType:
    """Annotates a timedelta that is written as a duration of at least ``minimum``."""

    minimum: timedelta = timedelta(0)

    @property
    def _floor(self) -> str:
        return f"must be at least {format_duration(self.minimum)}"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self._read,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(format_duration),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        matches = f"self.matches('^({PATTERN})$')"
        floor = format_duration(self.minimum)
        rules = [{"rule": f"{matches} && size(self) > 0", "message": GRAMMAR}]
        if self.minimum:
            reaches = f"duration(self) >= duration('{floor}')"
            rules.append(
                {"rule": f"!{matches} || size(self) == 0 || {reaches}", "message": self._floor}
            )
        return {"type": "string", "maxLength": MAX_LENGTH, VALIDATIONS: rules}

    def _read(self, value: Any) -> timedelta:
        if isinstance(value, timedelta):
            duration = value
        elif isinstance(value, str):
            duration = _read_text(value)
        else:
            raise PydanticCustomError("string_type", "must be a string")
        if duration < self.minimum:
            raise PydanticCustomError("rule", "{reason}", {"reason": self._floor})
        return duration


def _read_text(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise PydanticCustomError("rule", "{reason}", {"reason": str(error)}) from error


Duration = Annotated[timedelta, DurationType()]
"""A wait, which may be none."""

Deadline = Annotated[timedelta, DurationType(minimum=timedelta(seconds=1))]
"""A limit: Kubernetes counts deadlines in whole seconds, from one."""
