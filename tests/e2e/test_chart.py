"""The operator's chart: what it renders is what the operator understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from devcluster import Cluster
from gatewaycanary.cli.parsing import parser
from proving import clusters
from proving.operators import CHART

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]

Render = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def render(cluster: Cluster) -> Render:
    """Give a way to render the chart with options."""
    helm = clusters.helm_of(cluster, "default")

    def template(*options: str) -> list[dict[str, Any]]:
        text = helm.run("template", "gatewaycanary", str(CHART), *options)
        return [each for each in yaml.safe_load_all(text) if each]

    return template


def kinds(objects: list[dict[str, Any]]) -> set[str]:
    """Name the kinds of some objects."""
    return {each["kind"] for each in objects}


def test_the_deployment_starts_the_operator_as_it_can_be_started(render: Render) -> None:
    """Its arguments parse, its probes are the operator's, and its ports are those it names."""
    (deployment,) = [each for each in render() if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    options = parser().parse_args(container["args"])
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"metrics": options.metrics_port, "probes": options.probe_port}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "probes"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "probes"}


def test_no_replicas_leave_the_rights_alone(render: Render) -> None:
    """For an operator that runs elsewhere there is its account, and nothing that runs."""
    found = kinds(render("--set", "replicas=0"))
    assert found == {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


def test_roles_of_tests_are_opt_in(render: Render) -> None:
    """Nobody's tests bring rights of their own unless the administrator says so."""

    def touches_roles(*options: str) -> bool:
        (role,) = [each for each in render(*options) if each["kind"] == "ClusterRole"]
        return any("roles" in rule["resources"] for rule in role["rules"])

    assert not touches_roles()
    assert touches_roles("--set", "testRoles=true")


def test_the_crd_comes_with_the_chart(render: Render) -> None:
    """An installation brings the very definition that is generated from the models."""
    assert "CustomResourceDefinition" in kinds(render("--include-crds"))
