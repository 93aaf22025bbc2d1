"""YAML as Helm and Kubernetes read it, which is not quite as PyYAML does.

PyYAML follows YAML 1.1 to the letter: ``1080:30`` would become the number 64830 and ``2026-01-02``
a date. Go's reader, which Helm uses, takes both as text, and knows ``0o17`` and ``1e3`` as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import yaml

Manifest = dict[str, Any]
"""One object as written by a chart."""

MAX_VALUES: Final = 100_000

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
    pass


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
        document = _as_json(yaml.load(text, Loader=_Loader), count())
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ManifestError(f"not readable as YAML: {error}") from error
    if not isinstance(document, dict):
        raise ManifestError("not a Kubernetes object")
    return document


def _as_json(value: object, spent: Iterator[int]) -> object:
    """Keep what JSON can say; keys become text, as in Go. Aliases must not multiply for ever."""
    if next(spent) > MAX_VALUES:
        raise ManifestError(f"more than {MAX_VALUES} values")
    if isinstance(value, dict):
        return {_key(key): _as_json(item, spent) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item, spent) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise ManifestError(f"a value of type {type(value).__name__} has no place in a manifest")


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
