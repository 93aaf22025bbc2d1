"""What forbids to shift an Ingress, and what a person is told before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.documents import Documents
from conformance.nginx import CANARY, CONTEXT, ingress, path
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import ingresses
from gatewaycanary.traffic.nginx import Nginx

PREFIX = "nginx.ingress.kubernetes.io"
NGINX = Nginx()
WEB = [path("/", "web")]
TO_WEB: dict[str, Any] = {"service": {"name": "web", "port": {"name": "http"}}}
OURS = {"canary.soma.dev/owner-uid": CONTEXT.owner_uid}


def of_canary(name: str, *, on: str = "true", **fields: Any) -> dict[str, Any]:
    """Write a canary Ingress."""
    return ingress(name, **{"paths": [path("/", "x")], **fields}, annotations={CANARY: on})


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([ingress(paths=WEB)], [], id="fine"),
        pytest.param([], [("IngressMissing", "Ingress gateway", "")], id="missing"),
        pytest.param(
            [ingress(paths=[path("/", "api")])],
            [("IngressHasNoRule", "Ingress gateway", "spec.rules")],
            id="no path to stable",
        ),
        pytest.param(
            [ingress(paths=[], defaultBackend=TO_WEB)],
            [("IngressHasNoRule", "Ingress gateway", "spec.defaultBackend")],
            id="by its default backend alone",
        ),
        pytest.param(
            [ingress(paths=WEB, annotations={CANARY: "1"})],
            [("IngressIsCanary", "Ingress gateway", f"metadata.annotations[{CANARY}]")],
            id="itself a canary",
        ),
        pytest.param(
            [ingress(paths=WEB, annotations={f"{PREFIX}/ssl-passthrough": "true"})],
            [
                (
                    "IngressPassesThrough",
                    "Ingress gateway",
                    f"metadata.annotations[{PREFIX}/ssl-passthrough]",
                )
            ],
            id="TLS passed through",
        ),
        pytest.param(
            [ingress(paths=WEB), ingress("web-canary", host="x.example", paths=WEB)],
            [("NameTaken", "Ingress web-canary", "metadata.name")],
            id="name taken",
        ),
        pytest.param(
            [ingress(paths=WEB), of_canary("web-canary", labels=OURS)], [], id="ours"
        ),
        pytest.param(
            [ingress(paths=[path("/a", "api"), *WEB]), of_canary("theirs")],
            [("ForeignCanaryIngress", "Ingress theirs", "spec.rules[0].http.paths[0]")],
            id="another canary",
        ),
        pytest.param(
            [ingress(paths=WEB), of_canary("theirs", on="T")],
            [("ForeignCanaryIngress", "Ingress theirs", "spec.rules[0].http.paths[0]")],
            id="another canary, as one router spells it",
        ),
        pytest.param(
            [ingress(paths=WEB), of_canary("theirs", on="false")], [], id="another, switched off"
        ),
        pytest.param(
            [ingress(paths=WEB), of_canary("theirs", host="x.example")], [], id="of another host"
        ),
        pytest.param(
            [ingress(paths=[{**WEB[0], "pathType": "Exact"}]), of_canary("theirs")],
            [],
            id="of another path type",
        ),
        pytest.param(
            [
                ingress(paths=WEB),
                ingress("more", host="x.example", paths=[path("/a", "y"), *WEB]),
                of_canary("theirs", host="x.example", paths=[path("/a", "x"), path("/", "x")]),
            ],
            [("ForeignCanaryIngress", "Ingress theirs", "spec.rules[0].http.paths[1]")],
            id="on another Ingress of the same Service",
        ),
    ],
)  # fmt: skip
def test_problems(others: list[Object], expected: list[tuple[str, str, str]]) -> None:
    """Each names the Ingress and the very path."""
    found = NGINX.problems(CONTEXT, Documents(others))
    assert [(each.reason, each.object, each.field) for each in found] == expected
    assert all(len(each.message.split()) >= 8 and not each.immediate for each in found)


def test_no_rule_says_where_it_leads() -> None:
    """The problem lists the Services that the Ingress does lead to, with their paths."""
    (found,) = NGINX.problems(CONTEXT, Documents([ingress(paths=[path("/", "api")])]))
    assert "api at spec.rules[0].http.paths[0]" in found.message


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([ingress(paths=WEB)], [], id="nothing to tell"),
        pytest.param([], [], id="missing"),
        pytest.param(
            [ingress(paths=WEB, defaultBackend=TO_WEB)],
            [("DefaultBackend", "Ingress gateway", "spec.defaultBackend")],
            id="default backend",
        ),
        pytest.param(
            [ingress(paths=WEB, annotations={f"{PREFIX}/affinity": "cookie"})],
            [("StickyClients", "Ingress gateway", f"metadata.annotations[{PREFIX}/affinity]")],
            id="sticky clients",
        ),
        pytest.param(
            [ingress(paths=WEB), ingress("more", host="x.example", paths=WEB)],
            [("OtherIngressShifts", "Ingress more", "spec.rules[0].http.paths[0]")],
            id="another Ingress of the Service",
        ),
        pytest.param(
            [ingress(paths=WEB), ingress("more", paths=[], defaultBackend=TO_WEB)],
            [("OtherIngressShifts", "Ingress more", "spec.defaultBackend")],
            id="another by its default backend",
        ),
        pytest.param(
            [ingress(paths=WEB), ingress("more", paths=[path("/", "web", port=80)])],
            [],
            id="another by another port",
        ),
        pytest.param(
            [ingress(paths=WEB), of_canary("old", paths=WEB)], [], id="a canary is no other"
        ),
    ],
)
def test_warnings(others: list[Object], expected: list[tuple[str, str, str]]) -> None:
    """What else shifts, and who does not, is told before the rollout."""
    found = NGINX.warnings(CONTEXT, Documents(others))
    assert [(each.reason, each.object, each.field) for each in found] == expected


def test_foreign_canaries_of_many_paths_are_read_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of the shared spots is named; each Ingress is not read once a spot."""
    paths = [path(f"/{n}", "web") for n in range(100)]
    lookup, reads = Documents([ingress(paths=paths), of_canary("old", paths=paths)]), Counter[str]()

    def counted(obj: Object) -> Iterator[ingresses.Entry]:
        reads[obj["metadata"]["name"]] += 1
        return entries(obj)

    entries = ingresses.entries
    monkeypatch.setattr(ingresses, "entries", counted)
    (found,) = NGINX.problems(CONTEXT, lookup)
    assert (found.object, found.field) == ("Ingress old", "spec.rules[0].http.paths[0]")
    assert reads["old"] <= 3
