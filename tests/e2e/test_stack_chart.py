"""The platform's chart: what it renders for each mode and switch, or says where it cannot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import Cluster
from e2e.stacks import HELM, Stack, environment
from proving.helm import HelmError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

Object = dict[str, Any]
Render = Callable[..., list[Object]]
HOST = ("--set", "services.gateway.ingress.enabled=true,services.gateway.ingress.host=soma.test")
MESH = (
    *("--set", "global.ISTIO_ENABLED=true,services.gateway.istio.enabled=true"),
    *("--set", "services.gateway.istio.host=soma.test"),
    *("--set", "services.gateway.istio.gateways={istio-system/gateway}"),
)
CANARY = ("--set", "services.gateway.canary.enabled=true")
TAGS = ("--set-string", "image.tag=1,services.gateway.canary.imageTag=2")


@pytest.fixture
def render(cluster: Cluster, tmp_path: Path) -> Render:
    """Give a way to render the chart with options."""
    stack = Stack(cluster, "default", tmp_path)

    def template(*options: str) -> list[Object]:
        text = stack.helm.run("template", "soma", str(stack.chart), *options)
        return [each for each in yaml.safe_load_all(text) if each]

    return template


def one(objects: list[Object], kind: str, name: str) -> Object:
    """Find an object."""
    (found,) = [e for e in objects if e["kind"] == kind and e["metadata"]["name"] == name]
    return found


def image(deployment: Object) -> str:
    """Give the image of a Deployment's only container."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


MODES = {
    "dev_full": ("dev", 1),
    "dev_prod": ("prod", 1),
    "prod": ("prod", 2),
    "prod_ha": ("prod-ha", 3),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode(render: Render, tmp_path: Path, mode: str) -> None:
    """Overlay and environment file together give its scale, its doors and its stores."""
    overlay, replicas = MODES[mode]
    auth = "off" if mode == "dev_full" else "token"
    path = environment(mode, tmp_path)
    found = render(
        *("--values", str(HELM / "overlays" / f"{overlay}-values.yaml")),
        *("--set-file", f"global.env={path}"),
    )
    deployments = [each for each in found if each["kind"] == "Deployment"]
    names = {each["metadata"]["name"] for each in deployments}
    assert names == {
        f"soma-{service}"
        for service in (
            *("gateway", "conversation-worker", "tool-executor", "delegation-gateway"),
            *("delegation-worker", "memory-service", "ui", "outbox-sync"),
        )
    }
    scaled = {each["metadata"]["name"]: each["spec"].get("replicas") for each in deployments}
    autoscaled = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["minReplicas"]
        for each in found
        if each["kind"] == "HorizontalPodAutoscaler"
    }
    assert {**scaled, **autoscaled} == dict.fromkeys(names, replicas)
    assert bool(autoscaled) == (mode != "dev_full")
    gateway = one(found, "Deployment", "soma-gateway")
    (container,) = gateway["spec"]["template"]["spec"]["containers"]
    assert {"name": "SOMA_AUTH_MODE", "value": auth} in container["env"]
    stores = {each["metadata"]["name"] for each in found if each["kind"] == "StatefulSet"}
    assert stores == (set() if mode == "prod_ha" else {"soma-postgres", "soma-redis"})
    budgets = [each for each in found if each["kind"] == "PodDisruptionBudget"]
    assert bool(budgets) == (replicas > 1)
    assert any(e["kind"] == "NetworkPolicy" for e in found) == (mode != "dev_full")


def test_every_pod_keeps_the_restricted_standard(render: Render) -> None:
    """No root, no capability, nothing written to the image, no token of an account."""
    for each in render(*HOST, *CANARY):
        template = each if each["kind"] == "Pod" else each.get("spec", {}).get("template")
        if not template or "spec" not in template:
            continue
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"], each["metadata"]["name"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_a_static_canary_by_nginx(render: Render) -> None:
    """It has a Deployment, a Service and an Ingress with its weight; stable keeps its own."""
    found = render(*HOST, *CANARY, *TAGS, "--set", "services.gateway.canary.weight=25")
    assert image(one(found, "Deployment", "soma-gateway")) == "localhost/soma-stack:1"
    assert image(one(found, "Deployment", "soma-gateway-canary")) == "localhost/soma-stack:2"
    annotations = one(found, "Ingress", "soma-gateway-canary")["metadata"]["annotations"]
    assert annotations == {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": "25",
    }
    selectors = [
        one(found, "Service", name)["spec"]["selector"]
        for name in ("soma-gateway", "soma-gateway-canary")
    ]
    assert selectors[0] != selectors[1]


def test_a_static_canary_by_istio(render: Render) -> None:
    """The weights stand in the VirtualService and make a hundred."""
    found = render(*MESH, *CANARY, *TAGS)
    (rule,) = one(found, "VirtualService", "soma-gateway")["spec"]["http"]
    weights = {each["destination"]["host"]: each["weight"] for each in rule["route"]}
    assert weights == {"soma-gateway": 90, "soma-gateway-canary": 10}


@pytest.mark.parametrize(
    ("route", "traffic"),
    [
        (HOST, {"nginx": {"ingress": "soma-gateway"}}),
        (MESH, {"istio": {"virtualService": "soma-gateway"}}),
    ],
)
def test_a_canary_by_the_operator(
    render: Render, route: tuple[str, ...], traffic: dict[str, Any]
) -> None:
    """A GatewayCanary asks for the image, and nothing else of a canary is made."""
    found = render(*route, *CANARY, *TAGS, "--set", "services.gateway.canary.mode=operator")
    canary = one(found, "GatewayCanary", "soma-gateway")
    assert canary["spec"]["image"] == "localhost/soma-stack:2"
    assert canary["spec"]["traffic"] == {**traffic, "settle": "5s"}
    assert canary["spec"]["tests"] == [{"helm": {"release": "soma"}}]
    assert not [each for each in found if each["metadata"]["name"] == "soma-gateway-canary"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (CANARY, "something must split the traffic"),
        (("--set", "services.gateway.ingress.enabled=true"), "needs services.gateway.ingress.host"),
        (("--set", "services.gateway.istio.enabled=true"), "needs global.ISTIO_ENABLED"),
        ((*MESH, "--set", "services.gateway.istio.host="), "needs services.gateway.istio.host"),
        (
            (*MESH, "--set", "services.gateway.istio.gateways=null"),
            "needs services.gateway.istio.gateways",
        ),
        ((*HOST, *MESH, *CANARY, "--set", "services.gateway.canary.mode=operator"), "not both"),
        (("--set", "postgres.enabled=false"), "needs postgres.externalSecret"),
        (("--set", "services.gateway.replica=2"), "additional properties 'replica' not allowed"),
        (("--set", "services.gateway.canary.weight=101"), "maximum: got 101, want 100"),
    ],
)
def test_what_cannot_be_rendered(render: Render, options: tuple[str, ...], told: str) -> None:
    """A sentence says what is missing, or which value is wrong."""
    with pytest.raises(HelmError) as error:
        render(*options)
    assert told in str(error.value)


@pytest.mark.parametrize("arguments", [("prod",), ("staging", "env"), ("prod", "absent/env"), ()])
def test_an_environment_file_that_cannot_be_written(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Nothing is written, and a line says why."""
    script = HELM.parents[1] / "scripts" / "generate-global-env.sh"
    done = subprocess.run(
        [str(script), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in {64, 73}
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_same_mode_gives_the_same_bytes(tmp_path: Path) -> None:
    """And a shell reads it as it is."""
    first = environment("prod_ha", tmp_path).read_bytes()
    assert environment("prod_ha", tmp_path).read_bytes() == first
    command = "set -eu; source ./global.env; echo $MODE $REPLICAS $OVERLAY"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["prod_ha", "3", "prod-ha"]
