"""Charts' YAML is read as Helm reads it."""

from __future__ import annotations

import json
import tracemalloc

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.helmtests import manifests


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1080:30", "1080:30"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("0o17", 15),
        ("017", 15),
        ("0x1f", 31),
        ("1_000", 1000),
        ("-5", -5),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        ("yes", True),
        ("'8080'", "8080"),
        ("~", None),
    ],
)
def test_scalars(text: str, value: object) -> None:
    """Ports and dates stay text, numbers are what Go takes for numbers."""
    assert manifests.parse(f"value: {text}") == {"value": value}


def test_keys_are_text() -> None:
    """A ConfigMap's numeric and boolean keys are text in JSON."""
    assert manifests.parse("data: {8: one, true: two}") == {"data": {"8": "one", "true": "two"}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1",
        "text",
        "a: [",
        "a: !!binary aGk=",
        "? [1]\n: 2",
        "a: &x [*x]",
        "a: !tag b",
        'a: "\\ud800"',
    ],
)
def test_refused(text: str) -> None:
    """What is not one plain mapping is refused with one kind of error."""
    with pytest.raises(manifests.ManifestError):
        manifests.parse(text)


def test_aliases_do_not_multiply_for_ever() -> None:
    """A few lines of aliases to aliases do not fill the memory."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(12)]
    with pytest.raises(manifests.ManifestError, match=f"more than {manifests.MAX_VALUES} values"):
        manifests.parse("\n".join(lines))


def _merges() -> str:
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: 1" for n in range(10)) + "}"]
    lines += [f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 9)}]}}" for n in range(12)]
    return "\n".join(lines)


HOSTILE = {
    "deep flow sequences": ("[" * 100_000, "levels deep"),
    "deep flow mappings": ("{a: " * 100_000, "levels deep"),
    "deep block sequences": ("- " * 100_000, "levels deep"),
    "merges of merges": (_merges(), "values"),
    "a mapping merged into itself": ("a: &a\n  <<: *a", "not readable"),
    "many documents": ("---\na: 1\n" * 100_000, "values"),
    "many keys": ("\n".join(f"k{n}: 1" for n in range(100_000)), "values"),
    "a long text many times": (f"a: &a {'x' * 100_000}\nb: [{','.join(['*a'] * 9_000)}]", "chara"),
    "a long key many times": (
        f"a: &a {{{'x' * 900}: 1}}\nb: [{','.join(['*a'] * 9_000)}]",
        "chara",
    ),
    "an endless text": ("a: " + "x" * 10_000_000, "characters"),
    "an endless number": (f"a: 0x{'f' * 1_000_000}", "64 bits"),
    "a number beyond Go's": ("a: 99999999999999999999", "64 bits"),
    "infinity": ("a: 1e999", "64 bits"),
}


@pytest.mark.parametrize(("text", "told"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused_in_little_memory(text: str, told: str) -> None:
    """What would fill the memory, or end the program on its C stack, is refused in time."""
    tracemalloc.start()
    try:
        with pytest.raises(manifests.ManifestError, match=told):
            manifests.parse(text)
        assert tracemalloc.get_traced_memory()[1] < 40 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_merge_keys_are_read() -> None:
    """Merged keys stand beside the own ones, which come first."""
    text = "base: &base {a: 1, b: 2}\nmore: &more {c: 3}\nall: {<<: [*base, *more], b: 4}"
    assert manifests.parse(text)["all"] == {"a": 1, "b": 4, "c": 3}


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_no_other_error(text: str) -> None:
    """Whatever a chart holds, there is an object or a ManifestError."""
    try:
        document = manifests.parse(text)
    except manifests.ManifestError:
        return
    assert json.loads(json.dumps(document)) == document


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcdef.-/"), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text("abcdef"), JSON))
def test_reads_what_yaml_writes(document: dict[str, object]) -> None:
    """An object written as JSON, or as YAML with quotes, comes back as it was."""
    assert manifests.parse(json.dumps(document, ensure_ascii=False)) == document
    assert manifests.parse(yaml.safe_dump(document, default_style='"')) == document
