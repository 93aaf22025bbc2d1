"""Rules: one definition for the API server (CEL) and for Python.

The schema alone cannot say most of what a GatewayCanary must hold, so each rule is written
twice, side by side: as CEL for the API server, which refuses the object, and as a predicate for
``parse``, which refuses the same spec offline (``gatewaycanary plan``) and in the operator when
the object was stored under an older schema. Both give the same message at the same field; a test
on a real API server holds them together.

Patterns are written in the common subset of RE2 and Python's ``re``: ASCII classes, no
backslashes. Python matches them with ``fullmatch``, RE2 between ``^`` and ``$``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

VALIDATIONS = "x-kubernetes-validations"
UNSHOWN: dict[str, Any] = {"default": None}
"""Keeps a field's default out of the schema, so that the API server does not write it down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold for one value, in CEL and in Python."""

    cel: str
    holds: Callable[[Any], bool]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What must hold between an old and a new value; only the API server sees both."""

    cel: str
    message: str


def pattern(expression: str, *, message: str) -> Rule:
    """Build the rule that a string matches the whole expression."""
    compiled = re.compile(expression)
    return Rule(
        cel=f"self.matches('^({expression})$')",
        holds=lambda value: compiled.fullmatch(value) is not None,
        message=message,
    )


def enforce(rules: tuple[Rule | Transition, ...], value: Any) -> None:
    """Raise the message of the first rule that the value breaks."""
    for rule in rules:
        if isinstance(rule, Rule) and not rule.holds(value):
            raise PydanticCustomError("rule", "{reason}", {"reason": rule.message})


def annotate(schema: JsonSchemaValue, rules: tuple[Rule | Transition, ...]) -> JsonSchemaValue:
    """Add the rules to the schema of the value that they are about."""
    if rules:
        told = [{"rule": rule.cel, "message": rule.message} for rule in rules]
        schema[VALIDATIONS] = [*schema.get(VALIDATIONS, []), *told]
    return schema


@dataclass(frozen=True, slots=True)
class Ruled:
    """Annotates a type with rules: ``Annotated[str, Ruled((NO_SPACES,))]``.

    ``first`` asks the rules before the type, where the type's own message says less.
    """

    rules: tuple[Rule | Transition, ...]
    first: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if self.first:
            return core_schema.no_info_before_validator_function(self._check, handler(source))
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return annotate(handler(schema), self.rules)

    def _check(self, value: Any) -> Any:
        enforce(self.rules, value)
        return value


class SpecModel(BaseModel):
    """What every part of a spec shares: frozen, strict, camelCase, nothing unknown."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    rules: ClassVar[tuple[Rule | Transition, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _as_stored(cls, value: Any) -> Any:
        """Read fields as the API server does: a null is none, if its field is known; 1.0 is 1."""
        if not isinstance(value, Mapping):
            return value
        known, whole = _fields(cls)
        kept = ((key, one) for key, one in value.items() if one is not None or key not in known)
        return {key: _whole(one) if key in whole else one for key, one in kept}

    @model_validator(mode="after")
    def _enforce(self) -> Self:
        enforce(self.rules, self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        reference = handler(schema)
        annotate(handler.resolve_ref_schema(reference), cls.rules)
        return reference


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@cache
def _fields(model: type[BaseModel]) -> tuple[frozenset[str | None], frozenset[str | None]]:
    """Name the fields, and those among them that hold whole numbers and nothing else."""
    fields = model.model_fields.values()
    whole = frozenset(field.alias for field in fields if field.annotation is int)
    return frozenset(field.alias for field in fields), whole
