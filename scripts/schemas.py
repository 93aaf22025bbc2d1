"""The schema of a chart's values, from its values.yaml and the comments in it.

A value's type is that of its default, and the comment above it is its description. Keys that a
chart does not name are refused, except below `{}`, which takes whatever is given. What a default
cannot say stands in a comment line `@schema {…}`, merged over the rest; `like: path` there stands
for the keys of another mapping, which the mapping may hold too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

_TYPES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
_MARK = "@schema "

Schema = dict[str, Any]


class ValuesError(Exception):
    """Raised for a values.yaml that no schema can be made of; the message names the line."""


def schema_of(values: Path) -> str:
    """Give the schema's text for a values.yaml."""
    text = values.read_text()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise ValuesError(f"{values}: a chart's values are a mapping")
    found = _Reader(text.splitlines()).mapping(root)
    # A chart may be a part of another, which shares this with all its parts.
    found["properties"].setdefault("global", {"type": "object"})
    _spread(found, found)
    head = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return json.dumps(head | found, indent=2, ensure_ascii=False) + "\n"


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def mapping(self, node: yaml.MappingNode) -> Schema:
        properties = {key.value: self._property(key, value) for key, value in node.value}
        if not properties:
            return {"type": "object"}
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def _property(self, key: yaml.Node, value: yaml.Node) -> Schema:
        words, told = self._comment(key)
        found = self._value(value)
        if words:
            found = {"description": words, **found}
        return {**found, **told}

    def _value(self, node: yaml.Node) -> Schema:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return {"type": "array"}
        kind = node.tag.rpartition(":")[2]
        if kind not in _TYPES:
            raise ValuesError(f"line {node.start_mark.line + 1}: a default of no type: {kind}")
        return {"type": _TYPES[kind]}

    def _comment(self, key: yaml.Node) -> tuple[str, Schema]:
        words: list[str] = []
        told: Schema = {}
        for line in reversed(self._lines[: key.start_mark.line]):
            stripped = line.strip()
            if not stripped.startswith("#") or line.index("#") != key.start_mark.column:
                break
            said = stripped.removeprefix("#").strip()
            if said.startswith(_MARK):
                told = {**yaml.safe_load(said.removeprefix(_MARK)), **told}
            else:
                words.insert(0, said)
        return " ".join(words), told


def _spread(schema: Schema, root: Schema) -> None:
    """Give each mapping that is like another the other's keys too."""
    if path := schema.pop("like", None):
        other = root
        for key in path.split("."):
            other = other["properties"][key]
        own = schema.get("properties", {})
        schema["properties"] = {**other["properties"], **own}
        schema["additionalProperties"] = False
    for each in schema.get("properties", {}).values():
        _spread(each, root)
