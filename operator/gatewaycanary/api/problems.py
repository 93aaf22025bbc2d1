"""What is wrong with a spec, field by field, in words that a person can act on."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_MESSAGES = {
    "bool_type": "must be true or false",
    "extra_forbidden": "is not a known field",
    "greater_than_equal": "should be greater than or equal to {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "should be less than or equal to {le}",
    "literal_error": "must be {expected}",
    "missing": "is required",
    "model_type": "must be an object",
    "string_too_long": "may not be more than {max_length} characters",
    "string_type": "must be a string",
    "too_long": "must have at most {max_length} items",
    "tuple_type": "must be a list",
}


class SpecInvalid(ValueError):  # noqa: N818
    """Raised when a spec breaks the contract; only its author can mend it."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


def field_path(location: tuple[int | str, ...]) -> str:
    """Write a place in the spec as Kubernetes does: ``spec.steps[2].weight``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "spec" + "".join(parts)


def problems_of(error: ValidationError) -> tuple[tuple[str, str], ...]:
    """Give each problem's field and message, once."""
    found = ((field_path(detail["loc"]), _message(detail)) for detail in error.errors())
    return tuple(dict.fromkeys(found))


def _message(detail: ErrorDetails) -> str:
    known = _MESSAGES.get(detail["type"])
    return known.format(**detail.get("ctx", {})) if known else detail["msg"]
