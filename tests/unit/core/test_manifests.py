"""The canary's objects are stable's, but for what must differ, and nobody else's fields move."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.documents import Documents, WriteError
from gatewaycanary.core import manifests
from gatewaycanary.core.naming import CANARY_LABEL, OWNER_LABEL, REVISION_LABEL
from gatewaycanary.core.observation import CanaryWorkload, Problem
from gatewaycanary.core.selectors import CanaryLabel, selects, service_selects
from gatewaycanary.core.writes import Create, JsonPatch
from unit.core.objects import LABELS, NAMESPACE, UID, container, deployment, service

LABEL = CanaryLabel(key="app", stable="web", canary="web-canary")
OURS = {OWNER_LABEL: UID, CANARY_LABEL: "gateway", REVISION_LABEL: "abc-1"}


def canary_of(stable: dict[str, Any], *, chosen: str | None = None) -> dict[str, Any]:
    """Build the canary of a Deployment."""
    return manifests.canary_deployment(
        stable,
        label=LABEL,
        container=chosen,
        uid=UID,
        canary="gateway",
        revision="abc-1",
        image="shop/web:2",
        replicas=2,
    )


def service_of(stable: dict[str, Any]) -> dict[str, Any]:
    """Build the canary Service of a Service."""
    return manifests.canary_service(
        stable, name="web-canary", label=LABEL, uid=UID, canary="gateway", revision="abc-1"
    )


class TestTemplateHash:
    """The hash tells whether stable's pods would be others."""

    def base(self) -> str:
        """Hash the plain template."""
        return manifests.template_hash(deployment(), container=None)

    @pytest.mark.parametrize(
        "same",
        [
            pytest.param(deployment(containers=[container(image="shop/web:9")]), id="image"),
            pytest.param(
                deployment(annotations={"kubectl.kubernetes.io/restartedAt": "now"}), id="restart"
            ),
            pytest.param(deployment(replicas=9), id="replicas"),
            pytest.param(deployment(paused=True), id="paused"),
            pytest.param(deployment(pod={"volumes": [], "nodeSelector": None}), id="nothing said"),
        ],
    )
    def test_unchanged(self, same: dict[str, Any]) -> None:
        """The image, a restart, the scale and empty fields make no other pods."""
        assert manifests.template_hash(same, container=None) == self.base()

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(deployment(annotations={"example.com/config": "2"}), id="annotation"),
            pytest.param(deployment(labels={"app": "web"}), id="label"),
            pytest.param(deployment(pod={"hostNetwork": True}), id="pod field"),
            pytest.param(
                deployment(containers=[container(env=[{"name": "A", "value": ""}])]), id="env"
            ),
        ],
    )
    def test_changed(self, other: dict[str, Any]) -> None:
        """Anything else does."""
        assert manifests.template_hash(other, container=None) != self.base()

    def test_of_an_image(self) -> None:
        """Two images give two revisions; the same image gives the same whatever stable runs."""
        one = manifests.template_hash(deployment(), container=None, image="a:1")
        two = manifests.template_hash(deployment(), container=None, image="a:2")
        moved = deployment(containers=[container(image="shop/web:9")])
        assert one != two
        assert one == manifests.template_hash(moved, container=None, image="a:1")

    def test_other_containers_images_count(self) -> None:
        """Only the released container's image is left out."""
        hashes = {
            manifests.template_hash(
                deployment(containers=[container(), container("proxy", image)]), container="web"
            )
            for image in ("proxy:1", "proxy:2")
        }
        assert len(hashes) == 2


DONE = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


class TestTarget:
    """The stable Deployment as the decision sees it."""

    @pytest.mark.parametrize(
        ("change", "rolled_out"),
        [
            pytest.param({}, True, id="done"),
            pytest.param({"observedGeneration": 3}, False, id="not seen by the controller"),
            pytest.param({"updatedReplicas": 2}, False, id="not all updated"),
            pytest.param({"replicas": 4}, False, id="an old one left"),
            pytest.param({"availableReplicas": 2}, False, id="not all available"),
        ],
    )
    def test_rolled_out(self, change: dict[str, int], *, rolled_out: bool) -> None:
        """Rolled out: seen, all updated, all available, none of an older template left."""
        stable = deployment(status={**DONE, **change})
        assert manifests.target_view(stable, container=None).rolled_out is rolled_out

    def test_without_status(self) -> None:
        """A Deployment that no controller has seen is not rolled out."""
        assert not manifests.target_view(deployment(), container=None).rolled_out

    def test_replicas_default(self) -> None:
        """Replicas not said are one."""
        assert manifests.target_view(deployment(replicas=None), container=None).replicas == 1

    def test_image_of_the_container(self) -> None:
        """The image is that of the named container, and empty where it is ambiguous."""
        stable = deployment(containers=[container("proxy", "proxy:1"), container()])
        assert manifests.target_view(stable, container="web").image == "shop/web:1"
        assert manifests.target_view(stable, container=None).image == ""
        assert manifests.target_view(stable, container="gone").image == ""


class TestCanaryDeployment:
    """Stable's pod template, pinned."""

    STABLE = deployment(
        containers=[container("proxy", "proxy:1"), container(ports=[{"containerPort": 80}])],
        pod={
            "serviceAccountName": "web",
            "topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": "web"}}}],
        },
        annotations={"prometheus.io/scrape": "true"},
        minReadySeconds=5,
    )

    def test_only_the_released_image_changes(self) -> None:
        """All containers are stable's; the released one has the new image."""
        made = canary_of(self.STABLE, chosen="web")["spec"]["template"]["spec"]
        assert made["containers"] == [
            container("proxy", "proxy:1"),
            container(image="shop/web:2", ports=[{"containerPort": 80}]),
        ]
        assert made["serviceAccountName"] == "web"

    def test_selectors_are_rewritten(self) -> None:
        """Selector, pod labels and selectors inside the template carry the canary's value."""
        spec = canary_of(self.STABLE, chosen="web")["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"] == {"matchLabels": {"app": "web-canary", "tier": "front"}}
        assert labels == {"app": "web-canary", "tier": "front", **OURS}
        spread = spec["template"]["spec"]["topologySpreadConstraints"][0]
        assert spread["labelSelector"]["matchLabels"] == {"app": "web-canary"}
        assert spec["template"]["metadata"]["annotations"] == {"prometheus.io/scrape": "true"}

    def test_metadata_is_ours_alone(self) -> None:
        """Neither labels nor annotations of stable's Deployment, and no owner reference."""
        made = canary_of(self.STABLE, chosen="web")
        assert made["metadata"] == {"name": "web-canary", "namespace": NAMESPACE, "labels": OURS}

    def test_rollout_fields(self) -> None:
        """It rolls, keeps no history, and takes stable's readiness times."""
        spec = canary_of(self.STABLE, chosen="web")["spec"]
        assert (spec["replicas"], spec["revisionHistoryLimit"]) == (2, 0)
        assert spec["strategy"] == {"type": "RollingUpdate"}
        assert (spec["minReadySeconds"], spec["progressDeadlineSeconds"]) == (5, 600)
        assert "paused" not in canary_of(deployment(paused=True))["spec"]

    def test_stable_is_not_touched(self) -> None:
        """Building leaves stable's object as it was."""
        stable = deployment()
        canary_of(stable)
        assert stable == deployment()

    def test_long_names_fit_a_label(self) -> None:
        """The name of the GatewayCanary is cut where a label ends."""
        labels = manifests.owner_labels(uid=UID, canary="a" * 62 + ".b", revision="r")
        assert labels[CANARY_LABEL] == "a" * 62

    @given(
        labels=st.dictionaries(
            st.sampled_from(["tier", "zone", "env"]), st.sampled_from(["a", "b", ""])
        )
    )
    def test_pods_match_the_canary_alone(self, labels: dict[str, str]) -> None:
        """Its pods match its own selector and Service and neither of stable's."""
        stable, behind = deployment(labels={**labels, **LABELS}), service()
        made, front = canary_of(stable), service_of(behind)
        pods = made["spec"]["template"]["metadata"]["labels"]
        assert selects(made["spec"]["selector"], pods)
        assert service_selects(front["spec"]["selector"], pods)
        assert not service_selects(front["spec"]["selector"], {**pods, REVISION_LABEL: "older-1"})
        assert not selects(stable["spec"]["selector"], pods)
        assert not service_selects(behind["spec"]["selector"], pods)
        assert not service_selects(
            front["spec"]["selector"], stable["spec"]["template"]["metadata"]["labels"]
        )


class TestCanaryService:
    """The stable Service's ports and families, none of its addresses."""

    def test_of_a_node_port(self) -> None:
        """A ClusterIP with the same ports, without node ports or addresses."""
        port = {"name": "http", "port": 80, "targetPort": "web", "appProtocol": "http2"}
        stable = service(
            type="NodePort",
            ports=[{**port, "protocol": "TCP", "nodePort": 30080}],
            externalTrafficPolicy="Local",
            healthCheckNodePort=31000,
            sessionAffinity="ClientIP",
            ipFamilies=["IPv4", "IPv6"],
            ipFamilyPolicy="RequireDualStack",
        )
        assert service_of(stable) == {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web-canary", "namespace": NAMESPACE, "labels": OURS},
            "spec": {
                "type": "ClusterIP",
                "selector": {"app": "web-canary", REVISION_LABEL: "abc-1"},
                "ports": [{**port, "protocol": "TCP"}],
                "ipFamilies": ["IPv4", "IPv6"],
                "ipFamilyPolicy": "RequireDualStack",
            },
        }


class TestOurs:
    """What is ours is known by the uid on its label."""

    def test_view(self) -> None:
        """Our Deployment is read; anybody else's is none."""
        made = canary_of(deployment())
        assert manifests.canary_view(made, uid=UID) == CanaryWorkload(revision="abc-1", replicas=2)
        assert manifests.canary_view(made, uid="another") is None
        assert manifests.canary_view(deployment(), uid=UID) is None

    def test_deleting(self) -> None:
        """A Deployment on its way out says so."""
        made = canary_of(deployment())
        made["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        view = manifests.canary_view(made, uid=UID)
        assert view is not None
        assert view.deleting

    def test_no_uid_owns_nothing(self) -> None:
        """An object without our label does not belong to an empty uid."""
        assert not manifests.is_ours({"metadata": {}}, "")


def taken(documents: Documents, write: JsonPatch | Problem | None) -> dict[str, Any]:
    """Apply a patch and give the Deployment after it."""
    assert isinstance(write, JsonPatch)
    documents.apply(write)
    found = documents.get("Deployment", NAMESPACE, write.name)
    assert found is not None
    return found


class TestImagePatch:
    """Promotion writes one field."""

    STABLE = deployment(containers=[container("proxy", "proxy:1"), container()])

    def test_one_field(self) -> None:
        """Only the released container's image differs afterwards."""
        documents = Documents([self.STABLE])
        patch = manifests.set_image_patch(self.STABLE, container="web", image="shop/web:2")
        after = taken(documents, patch)
        assert after["spec"]["template"]["spec"]["containers"] == [
            container("proxy", "proxy:1"),
            container(image="shop/web:2"),
        ]
        assert manifests.set_image_patch(after, container="web", image="shop/web:2") is None

    @pytest.mark.parametrize(
        "meanwhile",
        [
            [container("proxy", "proxy:1"), container(image="shop/web:9")],
            [container(), container("proxy", "proxy:1")],
            [container()],
        ],
        ids=["another image", "another order", "another container gone"],
    )
    def test_not_over_a_change(self, meanwhile: list[dict[str, Any]]) -> None:
        """What was changed since the look is not written over: look again."""
        documents = Documents([deployment(containers=meanwhile)])
        patch = manifests.set_image_patch(self.STABLE, container="web", image="shop/web:2")
        assert isinstance(patch, JsonPatch)
        with pytest.raises(WriteError) as refused:
            documents.apply(patch)
        assert refused.value.code == 422

    def test_ambiguous(self) -> None:
        """Several containers and none named is a problem that lists them."""
        found = manifests.set_image_patch(self.STABLE, container=None, image="x")
        assert isinstance(found, Problem)
        assert (found.reason, found.field) == (
            "ContainerAmbiguous",
            "spec.template.spec.containers",
        )
        assert "proxy, web" in found.message


class TestScalePatch:
    """The canary's scale."""

    def test_scale(self) -> None:
        """Replicas are written, whoever else has written; the same number costs nothing."""
        documents = Documents()
        documents.apply(Create(manifest=canary_of(deployment())))
        made = documents.get("Deployment", NAMESPACE, "web-canary")
        assert made is not None
        patch = manifests.scale_patch(made, uid=UID, replicas=3)
        documents.edit(
            "Deployment", NAMESPACE, "web-canary", {"op": "add", "path": "/status", "value": {}}
        )
        assert taken(documents, patch)["spec"]["replicas"] == 3
        assert manifests.scale_patch(made, uid=UID, replicas=2) is None

    def test_not_anothers(self) -> None:
        """A Deployment of that name that is not ours is not scaled."""
        documents = Documents([deployment("web-canary")])
        patch = manifests.scale_patch(canary_of(deployment()), uid=UID, replicas=3)
        assert patch is not None
        with pytest.raises(WriteError):
            documents.apply(patch)
