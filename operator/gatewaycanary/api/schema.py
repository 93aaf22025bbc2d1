"""From pydantic's JSON schema to the structural schema that a CRD may hold.

A structural schema has no references, no titles and one type a node. Nulls need no word in it:
the API server drops a null field before it validates, so an optional field is simply one that is
not required. What a model does not know is pruned or, with strict field validation (kubectl's
default), refused by the API server itself, so ``additionalProperties: false`` has no place here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from gatewaycanary.api.durations import format_duration
from gatewaycanary.api.rules import VALIDATIONS

Schema = dict[str, Any]
_INT_OR_STRING = "x-kubernetes-int-or-string"
_DROPPED = frozenset({"$defs", "additionalProperties", "title"})
_LAST = ("required", "properties", "items", VALIDATIONS)
"""Read last in a node, in this order; what says something about the node itself comes first."""


class _Generator(GenerateJsonSchema):
    """Writes defaults as a user would: aliases, durations, and nothing that is itself default."""

    def encode_default(self, dft: Any) -> Any:
        return _written(dft)


def _written(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return value


def structural(model: Any, *, defaults: bool = True) -> Schema:
    """Generate the structural schema of a model; without defaults for what we write ourselves."""
    generated = TypeAdapter(model).json_schema(by_alias=True, schema_generator=_Generator)
    return _node(generated, definitions=generated.get("$defs", {}), defaults=defaults)


def _node(raw: JsonSchemaValue, *, definitions: Schema, defaults: bool) -> Schema:
    node = _flattened(raw, definitions=definitions)
    if not defaults or node.get("default") is None:
        node.pop("default", None)
    if "description" in node:
        node["description"] = " ".join(node["description"].split())
    if "items" in node:
        node["items"] = _node(node["items"], definitions=definitions, defaults=defaults)
    if "properties" in node:
        node["properties"] = {
            name: _node(child, definitions=definitions, defaults=defaults)
            for name, child in sorted(node["properties"].items())
        }
    return {key: node[key] for key in sorted(node, key=_position)}


def _position(key: str) -> tuple[int, str]:
    return (_LAST.index(key) if key in _LAST else -1, key)


def _flattened(raw: JsonSchemaValue, *, definitions: Schema) -> Schema:
    """Resolve references and alternatives; what stands beside them goes before them."""
    outer = {key: value for key, value in raw.items() if key not in _DROPPED}
    inner: Schema = {}
    if "$ref" in outer:
        inner = _flattened(
            definitions[outer.pop("$ref").rpartition("/")[2]], definitions=definitions
        )
    elif "anyOf" in outer:
        inner = _chosen(outer, definitions=definitions)
    if "const" in outer:
        outer["enum"] = [outer.pop("const")]
    return inner | outer


def _chosen(outer: Schema, *, definitions: Schema) -> Schema:
    choices = [choice for choice in outer.pop("anyOf") if choice.get("type") != "null"]
    if outer.get(_INT_OR_STRING):
        return {}
    (choice,) = choices
    return _flattened(choice, definitions=definitions)
