"""The generated CRD: in step with the models, structural, bounded, with words for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gatewaycanary.api.crd import COLUMNS, HEADER, NAME, crd, crd_yaml
from gatewaycanary.api.rules import VALIDATIONS
from gatewaycanary.api.status import Phase

ROOT = Path(__file__).resolve().parents[3]
Node = dict[str, Any]


def root() -> Node:
    """Give the schema of the whole resource."""
    (version,) = crd()["spec"]["versions"]
    node: Node = version["schema"]["openAPIV3Schema"]
    return node


def nodes(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Walk a schema."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")


def test_the_file_is_what_the_models_say() -> None:
    """`crds/` holds exactly what is generated; `gatewaycanary crd` writes it anew."""
    assert (ROOT / "crds" / f"{NAME}.yaml").read_text() == crd_yaml()


def test_the_text_is_the_object() -> None:
    """The YAML says where it comes from and reads as the object, without anchors."""
    text = crd_yaml()
    assert text.startswith(HEADER)
    assert yaml.safe_load(text) == crd()
    assert "&id" not in text


def test_generation_is_stable() -> None:
    """Twice the same text, so that drift means a change."""
    assert crd_yaml() == crd_yaml()


def test_the_schema_is_structural() -> None:
    """One type a node, no references, titles or alternatives."""
    known = {"default", "description", "enum", "format", "items", "maxItems", "maxLength"}
    known |= {"maximum", "minimum", "properties", "required", "type", VALIDATIONS}
    for path, node in nodes(root()):
        if node.get("x-kubernetes-int-or-string"):
            assert "type" not in node, path
        else:
            assert node["type"] in {"object", "array", "string", "integer", "number", "boolean"}
            assert set(node) <= known, path


def test_everything_in_the_spec_is_bounded() -> None:
    """Each string, list and number has a limit, which keeps the rules' cost within the budget."""
    for path, node in nodes(root()["properties"]["spec"]):
        if node.get("type") == "string":
            assert "maxLength" in node or "enum" in node, path
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if node.get("type") == "integer":
            assert {"minimum", "maximum"} <= set(node), path


def test_everything_in_the_spec_is_described() -> None:
    """`kubectl explain` has a sentence for each field that users write."""
    for path, node in nodes(root()["properties"]["spec"]):
        if not path.endswith("[]"):
            assert node["description"].strip(), path


def test_every_rule_has_a_message_on_one_line() -> None:
    """A rule without a message would show its CEL to people."""
    rules = [rule for _, node in nodes(root()) for rule in node.get(VALIDATIONS, ())]
    assert len(rules) >= 25
    for rule in rules:
        assert set(rule) == {"rule", "message"}
        assert rule["message"]
        assert "\n" not in rule["message"]


def test_duration_is_never_asked_unguarded() -> None:
    """Where CEL's duration() is used, the pattern stands before it."""
    rules = [rule["rule"] for _, node in nodes(root()) for rule in node.get(VALIDATIONS, ())]
    asking = [rule for rule in rules if "duration(self)" in rule]
    assert asking
    assert all(rule.startswith("!self.matches(") for rule in asking)


def test_the_status_has_one_default() -> None:
    """A new object is Pending and not yet observed; nothing else is put into a status."""
    status = root()["properties"]["status"]
    assert status["default"] == {"observedGeneration": 0, "phase": "Pending"}
    inner = [path for path, node in nodes(status) if path and "default" in node]
    assert inner == []


def test_the_status_knows_all_phases() -> None:
    """The schema's phases are the operator's."""
    status = root()["properties"]["status"]["properties"]
    assert status["phase"]["enum"] == [phase.value for phase in Phase]
    assert status["observedGeneration"]["type"] == "integer"


def test_columns_point_at_fields_of_the_schema() -> None:
    """Each printer column shows a field that exists; the first seven without -o wide."""
    paths = {path for path, _ in nodes(root())} | {".metadata.creationTimestamp"}
    assert all(column["jsonPath"] in paths for column in COLUMNS)
    narrow = [column["name"] for column in COLUMNS if column["priority"] == 0]
    wide = [column["name"] for column in COLUMNS if column["priority"] == 1]
    assert narrow == ["Phase", "Step", "Weight", "Tests", "Image", "Message", "Age"]
    assert wide == ["Provider", "Stable", "Started"]


def test_the_names_are_the_contract() -> None:
    """Group, version, kind, plural and short name are fixed; the status is a subresource."""
    spec = crd()["spec"]
    (version,) = spec["versions"]
    assert spec["group"] == "canary.soma.dev"
    assert spec["scope"] == "Namespaced"
    assert spec["names"]["kind"] == "GatewayCanary"
    assert spec["names"]["plural"] == "gatewaycanaries"
    assert spec["names"]["shortNames"] == ["gwc"]
    assert version["name"] == "v1alpha1"
    assert version["subresources"] == {"status": {}}
