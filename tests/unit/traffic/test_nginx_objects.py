"""The canary Ingress as written, for each row of the table in docs/reference/nginx.md."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.documents import Documents
from conformance.nginx import CONTEXT, NAMESPACE, ingress, path
from gatewaycanary.core.writes import Create, JsonPatch, Object, pointer
from gatewaycanary.traffic.nginx import Nginx

PREFIX = "nginx.ingress.kubernetes.io"
NGINX = Nginx()


def created(stable: Object, *, weight: int = 5) -> dict[str, Any]:
    """Build the first raise beside a stable Ingress, and give its manifest."""
    write = NGINX.raise_weight(CONTEXT, Documents([stable]), weight=weight)
    assert isinstance(write, Create)
    return dict(write.manifest)


def copied(stable: Object) -> dict[str, str]:
    """Give the annotations of the canary Ingress, those of the weight left out."""
    found = dict(created(stable)["metadata"]["annotations"])
    assert found.pop(f"{PREFIX}/canary") == "true"
    assert found.pop(f"{PREFIX}/canary-weight") == "5"
    return found


def rules(stable: Object) -> Any:
    """Give the rules of the canary Ingress."""
    return created(stable)["spec"]["rules"]


def stage(*changes: dict[str, Any]) -> Documents:
    """Give documents with a canary Ingress at 25, changed by hand."""
    documents = Documents([ingress(paths=[path("/", "web")])])
    write = NGINX.raise_weight(CONTEXT, documents, weight=25)
    assert write is not None
    documents.apply(write)
    documents.edit("Ingress", NAMESPACE, "web-canary", *changes)
    return documents


def spelled(name: str, value: str) -> dict[str, Any]:
    """Write the change of an annotation."""
    return {"op": "add", "path": pointer("metadata", "annotations", name), "value": value}


def put_back(documents: Documents) -> dict[str, str]:
    """Raise to 25 once more and give the annotations after it."""
    write = NGINX.raise_weight(CONTEXT, documents, weight=25)
    assert isinstance(write, JsonPatch)
    documents.apply(write)
    found = documents.get("Ingress", NAMESPACE, "web-canary")
    assert found is not None
    return dict(found["metadata"]["annotations"])


def test_whole_object() -> None:
    """Class, TLS and the rules towards stable, led to the canary Service, and our labels."""
    tls = [{"hosts": ["shop.example"], "secretName": "shop-tls"}]
    stable = ingress(
        paths=[path("/", "web"), path("/pay", "pay"), path("/api", "web", port=80)], tls=tls
    )
    assert created(stable, weight=5) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "web-canary",
            "namespace": NAMESPACE,
            "labels": {
                "canary.soma.dev/owner-uid": CONTEXT.owner_uid,
                "canary.soma.dev/canary": "gateway",
                "canary.soma.dev/revision": "abc-1",
            },
            "annotations": {f"{PREFIX}/canary": "true", f"{PREFIX}/canary-weight": "5"},
        },
        "spec": {
            "ingressClassName": "nginx",
            "tls": tls,
            "rules": [
                {
                    "host": "shop.example",
                    "http": {
                        "paths": [path("/", "web-canary"), path("/api", "web-canary", port=80)]
                    },
                }
            ],
        },
    }


class TestRows:
    """One test a row: what is written holds for both routers."""

    def test_true_as_both_spell_it(self) -> None:
        """Row "on": only ``true``; a word that one of the routers takes otherwise is drift."""
        for value in ("1", "t", "yes", "false", "tRue"):
            documents = stage(spelled(f"{PREFIX}/canary", value))
            view = NGINX.view(CONTEXT, documents)
            assert (view.attached, view.weight) == (True, None), value
            assert value in view.text
            assert put_back(documents)[f"{PREFIX}/canary"] == "true"

    def test_total_is_never_written(self) -> None:
        """Row "total": weights count on 100; another total is drift and is taken away."""
        documents = stage(spelled(f"{PREFIX}/canary-weight-total", "1000"))
        view = NGINX.view(CONTEXT, documents)
        assert (view.weight, view.text) == (None, "25 of canary-weight-total 1000")
        assert f"{PREFIX}/canary-weight-total" not in put_back(documents)

    def test_total_of_100_says_nothing(self) -> None:
        """Row "total": a total of 100 is what both take anyway."""
        assert (
            NGINX.view(CONTEXT, stage(spelled(f"{PREFIX}/canary-weight-total", "100"))).weight == 25
        )

    def test_zero_of_any_total_is_zero(self) -> None:
        """Row "total": at weight 0 no total sends anybody to the canary."""
        documents = stage(
            spelled(f"{PREFIX}/canary-weight-total", "1000"),
            spelled(f"{PREFIX}/canary-weight", "0"),
        )
        assert NGINX.view(CONTEXT, documents).weight == 0

    def test_range(self) -> None:
        """Row "range": only 0 to 100 is written, so neither clamping nor overflow matters."""
        view = NGINX.view(CONTEXT, stage(spelled(f"{PREFIX}/canary-weight", "250")))
        assert view.weight is None

    def test_affinity(self) -> None:
        """Row "affinity": legacy alone; the cookie's settings are stable's."""
        stable = ingress(
            paths=[path("/", "web")],
            annotations={
                f"{PREFIX}/affinity": "cookie",
                f"{PREFIX}/affinity-mode": "persistent",
                f"{PREFIX}/session-cookie-name": "seat",
            },
        )
        assert copied(stable) == {f"{PREFIX}/affinity-canary-behavior": "legacy"}

    def test_no_affinity(self) -> None:
        """Row "affinity": without it nothing is said of it."""
        assert copied(ingress(paths=[path("/", "web")])) == {}

    @pytest.mark.parametrize(
        "name",
        [
            "load-balance",
            "upstream-hash-by",
            "upstream-hash-by-subset",
            "upstream-hash-by-subset-size",
            "service-upstream",
        ],
    )
    def test_upstream(self, name: str) -> None:
        """Row "upstream": what ingress-nginx reads from the canary Ingress itself is copied."""
        key = f"{PREFIX}/{name}"
        assert copied(ingress(paths=[path("/", "web")], annotations={key: "x"})) == {key: "x"}

    @pytest.mark.parametrize(
        "name",
        ["rewrite-target", "backend-protocol", "auth-url", "proxy-body-size", "server-snippet"],
    )
    def test_inherited(self, name: str) -> None:
        """Row "inherited": what both take from the stable Ingress is not repeated."""
        stable = ingress(paths=[path("/", "web")], annotations={f"{PREFIX}/{name}": "x"})
        assert copied(stable) == {}

    def test_default_backend(self) -> None:
        """Row "default backend": none is written, since Traefik would not shift it."""
        stable = ingress(
            paths=[path("/", "web")], defaultBackend={"service": {"name": "web", "port": 80}}
        )
        assert "defaultBackend" not in created(stable)["spec"]

    def test_path_is_copied_literally(self) -> None:
        """Row "path": Traefik compares paths as written, so an absent one stays absent."""
        without = {key: value for key, value in path("/", "web").items() if key != "path"}
        stable = ingress(paths=[without, path("/a/", "web")])
        found = rules(stable)[0]["http"]["paths"]
        assert "path" not in found[0]
        assert found[1]["path"] == "/a/"

    def test_path_type_is_copied(self) -> None:
        """Row "path": both routers merge only paths of one type."""
        exact = {**path("/", "web"), "pathType": "Exact"}
        assert rules(ingress(paths=[exact]))[0]["http"]["paths"][0]["pathType"] == "Exact"

    def test_port_spelling_is_copied(self) -> None:
        """Row "port": upstreams are told apart by the port as spelled, name or number."""
        stable = ingress(paths=[path("/", "web", port="http"), path("/api", "web", port=80)])
        ports = [one["backend"]["service"]["port"] for one in rules(stable)[0]["http"]["paths"]]
        assert ports == [{"name": "http"}, {"number": 80}]

    def test_tls_and_class(self) -> None:
        """Row "class": the class in either spelling; TLS as found."""
        legacy = ingress(
            paths=[path("/", "web")], annotations={"kubernetes.io/ingress.class": "nginx"}
        )
        del legacy["spec"]["ingressClassName"]
        made = created(legacy)
        assert made["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "nginx"
        assert "ingressClassName" not in made["spec"]
        assert "tls" not in made["spec"]

    def test_no_twin(self) -> None:
        """Row "at rest": the Ingress goes; no ``canary: "false"`` twin is ever written."""
        documents = stage(spelled("example.com/x", "y"))
        withdrawal = NGINX.withdraw(CONTEXT, documents, mark="abc-1")
        assert isinstance(withdrawal, JsonPatch)
        documents.apply(withdrawal)
        written = [obj for _, obj in documents.history if obj is not None]
        canaries = [obj for obj in written if obj["metadata"]["name"] == "web-canary"]
        assert {obj["metadata"]["annotations"][f"{PREFIX}/canary"] for obj in canaries} == {"true"}
        restore = NGINX.restore(CONTEXT, documents)
        assert restore is not None
        documents.apply(restore)
        assert documents.get("Ingress", NAMESPACE, "web-canary") is None

    def test_host_without_name(self) -> None:
        """Row "host": a rule for all hosts is copied as one."""
        stable = ingress(paths=[path("/", "web")])
        del stable["spec"]["rules"][0]["host"]
        assert "host" not in rules(stable)[0]


def test_rules_follow_the_stable_ingress() -> None:
    """Paths that the stable Ingress gained or lost are drift, and the next raise takes them."""
    documents = stage(spelled("example.com/x", "y"))
    more = [path("/", "web"), path("/new", "web")]
    documents.edit(
        "Ingress",
        NAMESPACE,
        "gateway",
        {"op": "replace", "path": "/spec/rules/0/http/paths", "value": more},
    )
    view = NGINX.view(CONTEXT, documents)
    assert (view.weight, view.text) == (None, "25 % on other paths than Ingress gateway")
    put_back(documents)
    assert NGINX.view(CONTEXT, documents).weight == 25


def test_weight_moves_without_the_stable_ingress() -> None:
    """With the stable Ingress gone the weight is still read, and taken back."""
    documents = stage(spelled("example.com/x", "y"))
    documents.remove("Ingress", NAMESPACE, "gateway")
    view = NGINX.view(CONTEXT, documents)
    assert (view.present, view.attached, view.weight) == (False, True, 25)
    assert NGINX.withdraw(CONTEXT, documents, mark="abc-1") is not None


def test_annotations_all_gone() -> None:
    """With every annotation taken away the withdrawal writes them anew."""
    documents = stage({"op": "remove", "path": "/metadata/annotations"})
    assert NGINX.view(CONTEXT, documents).weight is None
    withdrawal = NGINX.withdraw(CONTEXT, documents, mark="abc-1")
    assert withdrawal is not None
    documents.apply(withdrawal)
    view = NGINX.view(CONTEXT, documents)
    assert (view.weight, view.withdrawn) == (0, "abc-1")


def test_an_ingress_of_others_is_never_written() -> None:
    """An Ingress at our name that is not ours is neither raised, withdrawn nor deleted."""
    documents = Documents(
        [ingress(paths=[path("/", "web")]), ingress("web-canary", paths=[path("/", "web")])]
    )
    assert NGINX.raise_weight(CONTEXT, documents, weight=5) is None
    assert NGINX.withdraw(CONTEXT, documents, mark="abc-1") is None
    assert NGINX.restore(CONTEXT, documents) is None
    assert not NGINX.view(CONTEXT, documents).attached
