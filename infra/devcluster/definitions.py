"""CustomResourceDefinitions, as their publishers wrote them.

They stay text: server-side apply takes YAML, and of each document only the
name must be known, so no parser is needed.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from devcluster.api import Client
from devcluster.errors import ClusterError
from devcluster.waiting import wait_until

_NAME = re.compile(r"^metadata:\n(?:  .*\n)*?  name: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Definition:
    """Hold one definition: its name and its document."""

    name: str
    text: str

    def reference(self) -> dict[str, Any]:
        """Name it as the client wants it."""
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name},
        }


def parse(text: str) -> list[Definition]:
    """Split a file into its definitions."""
    documents = re.split(r"^---.*\n", text, flags=re.MULTILINE)
    found = [(_NAME.search(document), document) for document in documents]
    return [Definition(name[1], document) for name, document in found if name]


def establish(client: Client, wanted: list[Definition]) -> None:
    """Write definitions and wait until the API server serves their kinds."""
    for definition in wanted:
        client.apply(definition.reference(), definition.text)
    for definition in wanted:
        if not wait_until(partial(_established, client, definition), 30.0):
            raise ClusterError(f"the API server does not serve {definition.name}")


def _established(client: Client, definition: Definition) -> bool:
    status = client.find(definition.reference()).get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    return conditions.get("Established") == "True"
