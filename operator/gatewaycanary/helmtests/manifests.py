"""YAML as Helm and Kubernetes read it, which is not quite as PyYAML does.

PyYAML follows YAML 1.1 to the letter: ``1080:30`` would become the number 64830 and ``2026-01-02``
a date. Go's reader, which Helm uses, takes both as text, and knows ``0o17`` and ``1e3`` as numbers.

A release is written by whoever may write Secrets in its namespace, so its text is measured before
it is read: libyaml's reader nests on the C stack, where too deep a text ends the whole program.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Final

import yaml

Manifest = dict[str, Any]
"""One object as written by a chart."""

MAX_LENGTH: Final = 2 * 1024 * 1024
"""Characters of a manifest, and of what its aliases make of it: no API server stores more."""

MAX_VALUES: Final = 20_000
MAX_DEPTH: Final = 100

_MERGE: Final = "tag:yaml.org,2002:merge"
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_INT: Final = "tag:yaml.org,2002:int"
_FLOAT: Final = "tag:yaml.org,2002:float"
_INT_PATTERN: Final = re.compile(
    r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$"
)
_FLOAT_PATTERN: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")


class ManifestError(ValueError):
    """Raised when a stored manifest is not one YAML mapping."""


# Ten times as fast where PyYAML was built with libyaml, as its wheels are.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Lay merged mappings under a mapping; merges of merges must not multiply for ever."""
        for key, value in node.value:
            if key.tag == _MERGE:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._flatten_source(source)
        super().flatten_mapping(node)

    def _flatten_source(self, source: yaml.Node) -> None:
        if isinstance(source, yaml.MappingNode):
            self.flatten_mapping(source)
            self.merged += len(source.value)
            if self.merged > MAX_VALUES:
                raise ManifestError(f"more than {MAX_VALUES} values")


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {_TIMESTAMP, _INT, _FLOAT}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_INT, _INT_PATTERN, list("-+0123456789"))
_Loader.add_implicit_resolver(_FLOAT, _FLOAT_PATTERN, list("-+0123456789."))


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    unsigned = text.lstrip("+-")
    octal = unsigned.isdigit() and len(unsigned) > 1 and unsigned[0] == "0"
    number = int(unsigned, 8) if octal else int(unsigned, 0)
    return -number if text[0] == "-" else number


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)))


_Loader.add_constructor(_INT, _integer)
_Loader.add_constructor(_FLOAT, _float)


def parse(text: str) -> Manifest:
    """Read one manifest; raise ManifestError where it is not one."""
    try:
        _measure(text)
        document = _Copy().of(yaml.load(text, Loader=_Loader))
    except ManifestError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ManifestError(f"not readable as YAML: {error}") from error
    if not isinstance(document, dict):
        raise ManifestError("not a Kubernetes object")
    return document


def _measure(text: str) -> None:
    """Refuse a text too long, too rich or too deep, before anything is built of it."""
    if len(text) > MAX_LENGTH:
        raise ManifestError(f"more than {MAX_LENGTH} characters")
    depth = values = 0
    for event in yaml.parse(text, Loader=_Loader):
        values += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ManifestError(f"nested more than {MAX_DEPTH} levels deep")
        if values > MAX_VALUES:
            raise ManifestError(f"more than {MAX_VALUES} values")


class _Copy:
    """Copies what JSON can say; keys become text, as in Go. Aliases must not multiply for ever."""

    def __init__(self) -> None:
        self._values = 0
        self._length = 0

    def of(self, value: object) -> object:
        """Copy a value."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise ManifestError(f"more than {MAX_VALUES} values")
        if isinstance(value, dict):
            return {self._text(_key(key)): self.of(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, (int, float)):
            return _number(value)
        raise ManifestError(f"a value of type {type(value).__name__} has no place in a manifest")

    def _text(self, value: str) -> str:
        self._length += len(value)
        if self._length > MAX_LENGTH:
            raise ManifestError(f"more than {MAX_LENGTH} characters")
        return value


def _number(value: int | float | None) -> int | float | None:
    """Give a number that JSON can say and 64 bits can hold."""
    held = isfinite(value) if isinstance(value, float) else -(2**63) <= (value or 0) < 2**64
    if not held:
        raise ManifestError("a number that does not fit into 64 bits")
    return value


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
