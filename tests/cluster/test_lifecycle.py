"""The cluster's whole life on this machine: start, use, repair, interruption, removal.

It takes the cluster that it finds down, and so runs only in namespaces of its
own, where it finds none (`make cluster-test`). One test follows the other on
one cluster; the first starts it, the last looks at what is left.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from cluster.hosts_seen import Picture, left, look
from devcluster import components, settings
from devcluster.layout import default_layout
from devcluster.locks import held
from devcluster.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("DEVCLUSTER_LIFECYCLE"),
        reason="needs a machine of its own: make cluster-test",
    ),
    pytest.mark.timeout(1800),
]

_ROOT = Path(__file__).parents[2]
_ADDONS = ("--addons", "istio,gateway-api")
_ADDED = ("istiod", "envoy", "traefik-gateway-api")
_REQUESTS = 200
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_NAMES = [part.name for part in components.all_components(default_layout())]


def _command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT / "infra"), "CLUSTER": "source"}
    return [sys.executable, "-m", "devcluster", *arguments], environment


def _devcluster(*arguments: str) -> str:
    command, environment = _command(*arguments)
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _begin(*arguments: str) -> subprocess.Popen[str]:
    command, environment = _command(*arguments)
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def _kubectl(*arguments: str, stdin: str = "") -> str:
    cluster = devcluster.current()
    assert cluster.bin_dir is not None
    command = [str(cluster.bin_dir / "kubectl"), "--kubeconfig", str(cluster.kubeconfig)]
    return subprocess.run(
        [*command, *arguments], input=stdin, check=True, capture_output=True, text=True, timeout=90
    ).stdout


def _pod(name: str, image: str, *command: str) -> str:
    container = {"name": "it", "image": image} | ({"command": list(command)} if command else {})
    spec = {"containers": [container], "restartPolicy": "Never", "enableServiceLinks": False}
    meta = {"name": name, "labels": {"app": name}}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})


def _run_pod(name: str) -> None:
    _kubectl("apply", "-f", "-", stdin=_pod(name, "localhost/podinfo:1.0.0"))
    _kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")


def _service(name: str) -> dict[str, object]:
    """Describe a Service in front of the pod of the same name."""
    ports = [{"name": "http", "port": 80, "targetPort": 9898}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _virtual_service(stable: int) -> dict[str, object]:
    weights = {"stable": stable, "canary": 100 - stable}
    route = [{"destination": {"host": name}, "weight": w} for name, w in weights.items()]
    gateways = ["istio-system/gateway"]
    spec = {"hosts": ["split.test"], "gateways": gateways, "http": [{"route": route}]}
    api = "networking.istio.io/v1"
    return {"apiVersion": api, "kind": "VirtualService", "metadata": {"name": "it"}, "spec": spec}


def _http_route(stable: int) -> dict[str, object]:
    weights = {"stable": stable, "canary": 100 - stable}
    backends = [{"name": name, "port": 80, "weight": w} for name, w in weights.items()]
    parents = [{"name": "traefik", "namespace": "gateway-system"}]
    rules = [{"backendRefs": backends}]
    spec = {"parentRefs": parents, "hostnames": ["split.test"], "rules": rules}
    api = "gateway.networking.k8s.io/v1"
    return {"apiVersion": api, "kind": "HTTPRoute", "metadata": {"name": "it"}, "spec": spec}


def _answer(addon: str) -> str:
    """Ask an addon's gateway which version of podinfo answers; empty where none does."""
    url = f"{devcluster.current().gateway_urls[addon]}/version"
    asking = urllib.request.Request(url, headers={"Host": "split.test"})
    try:
        with _DIRECT.open(asking, timeout=5) as answer:
            return str(json.load(answer)["version"])
    except (OSError, ValueError):
        return ""


def _settled(addon: str) -> bool:
    return wait_until(lambda: {_answer(addon) for _ in range(20)} == {"1.0.0", "2.0.0"}, 30)


@pytest.fixture(scope="module")
def before() -> Picture:
    """Take a picture of the machine without a cluster."""
    _devcluster("build", *_ADDONS)
    _devcluster("down")
    return look(default_layout().state)


@pytest.fixture(scope="module", autouse=True)
def _taken_down(before: Picture) -> Iterator[None]:
    yield
    _devcluster("down")


def test_a_warm_start_is_quick() -> None:
    """With everything built, a Ready node with DNS and data plane takes at most 40 s."""
    began = time.monotonic()
    said = _devcluster("up")
    took = time.monotonic() - began
    print(f"warm start: {took:.1f} s")
    assert "cluster is up" in said
    assert took < 40
    assert "Ready, Kubernetes v" in _devcluster("status")


def test_a_second_start_does_nothing_and_says_so() -> None:
    """Running it twice is harmless and quick; no component is restarted."""
    running = [devcluster.component(name).process() for name in _NAMES]
    assert "cluster was up already" in _devcluster("up")
    assert [devcluster.component(name).process() for name in _NAMES] == running


def test_pods_run_resolve_names_and_reach_services_and_the_api() -> None:
    """A pod finds a service and the API server by name, and its log and exec are readable."""
    _run_pod("app")
    _kubectl("expose", "pod", "app", "--port=80", "--target-port=9898")
    script = (
        "set -e; curl -sS --retry 10 --retry-all-errors --retry-delay 1 http://app/version; "
        "curl -sSk https://kubernetes.default.svc/version; "
        "if nslookup nowhere.test; then exit 1; fi; wget -qO- http://app/version"
    )
    _kubectl("apply", "-f", "-", stdin=_pod("ask", settings.TOOLBOX_IMAGE, "sh", "-c", script))
    _kubectl("wait", "pod/ask", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    said = _kubectl("logs", "ask")
    assert '"version": "1.0.0"' in said
    assert f'"gitVersion": "v{settings.KUBERNETES}"' in said
    assert "NXDOMAIN" in said
    assert "1.0.0" in _kubectl("exec", "app", "--", "./podinfo", "--version")


def test_images_are_what_their_tags_say() -> None:
    """The third version greets with "broken"; the crashing one ends with 1."""
    _kubectl("apply", "-f", "-", stdin=_pod("broken", "localhost/podinfo:3.0.0"))
    _kubectl("apply", "-f", "-", stdin=_pod("crash", "localhost/podinfo:crash"))
    _kubectl("wait", "pod/broken", "--for=condition=Ready", "--timeout=60s")
    _kubectl("wait", "pod/crash", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s")
    path = "/api/v1/namespaces/default/pods/broken:9898/proxy/api/info"
    answer = json.loads(_kubectl("get", "--raw", path))
    assert (answer["version"], answer["message"]) == ("3.0.0", "broken")


def test_addons_start_and_each_splits_traffic() -> None:
    """Added to a running cluster, each data plane gives a quarter of the requests to the canary."""
    _devcluster("up", *_ADDONS)
    assert "cluster was up already" in _devcluster("up")
    for name, version in (("stable", "1.0.0"), ("canary", "2.0.0")):
        _kubectl("apply", "-f", "-", stdin=_pod(name, f"localhost/podinfo:{version}"))
        _kubectl("apply", "-f", "-", stdin=json.dumps(_service(name)))
    _kubectl("wait", "pod/stable", "pod/canary", "--for=condition=Ready", "--timeout=60s")
    for route in (_virtual_service(75), _http_route(75)):
        _kubectl("apply", "-f", "-", stdin=json.dumps(route))
    for addon in ("istio", "gateway-api"):
        assert _settled(addon)
        counted = Counter(_answer(addon) for _ in range(_REQUESTS))
        assert counted["1.0.0"] + counted["2.0.0"] == _REQUESTS
        # Five standard deviations of a fair draw: 5 * sqrt(200 * 0.75 * 0.25) is 31.
        assert abs(counted["2.0.0"] - _REQUESTS // 4) <= 31


def test_a_route_s_status_is_of_its_generation() -> None:
    """Gateway API tells of each route whether it is accepted, and which of its versions."""
    route = json.loads(_kubectl("get", "httproute", "it", "-o", "json"))
    (parent,) = route["status"]["parents"]
    told = {one["type"]: (one["status"], one["observedGeneration"]) for one in parent["conditions"]}
    now = ("True", route["metadata"]["generation"])
    assert (told["Accepted"], told["ResolvedRefs"]) == (now, now)


def test_killed_addons_are_repaired() -> None:
    """After kill -9 of all their programs, starting again brings both splits back."""
    for name in _ADDED:
        devcluster.component(name).kill()
    with pytest.raises(AssertionError, match=r"envoy +down"):
        _devcluster("status")
    _devcluster("up")
    assert "envoy" in _devcluster("status")
    assert _settled("istio")
    assert _settled("gateway-api")


def test_an_addon_goes_with_its_kinds() -> None:
    """Taken away, no program, namespace or kind of it is there, and the rest is as it was."""
    for name in ("istio", "gateway-api"):
        _devcluster("addon", name, "down")
    assert devcluster.current().gateway_urls.keys() == {"nginx"}
    names = _kubectl("get", "namespaces,crds,clusterroles", "-o", "name")
    for word in ("istio", "gateway-system", "gateway.networking", "traefik-gateway-api"):
        assert word not in names
    assert "envoy" not in _devcluster("status")


def test_the_environment_is_shell() -> None:
    """kubectl and helm of the right versions are on the PATH that is printed."""
    script = 'eval "$(cat)"; kubectl version --client; helm version --short; echo "$GATEWAY_URL"'
    said = subprocess.run(
        ["sh", "-c", script], input=_devcluster("env"), check=True, capture_output=True, text=True
    ).stdout
    assert f"Client Version: v{settings.KUBERNETES}" in said
    assert f"v{settings.HELM}" in said
    assert settings.GATEWAY_URL in said


def test_two_commands_take_turns() -> None:
    """The second waits, names the first by pid and checkout, and then does its work."""
    with held(default_layout().lock, "cluster-up"):
        second = _begin("up")
        assert second.stderr is not None
        told = second.stderr.readline()
    assert f"held by pid {os.getpid()} (cluster-up from {_ROOT}" in told
    assert "cluster was up already" in second.communicate(timeout=120)[1]
    assert second.returncode == 0


@pytest.mark.parametrize("name", _NAMES)
def test_a_killed_component_is_repaired(name: str) -> None:
    """After kill -9 status says so, and starting again mends it without ending the pods."""
    devcluster.component(name).kill()
    with pytest.raises(AssertionError, match=rf"{name} +down"):
        _devcluster("status")
    _devcluster("up")
    assert devcluster.component(name).process() is not None
    _run_pod(f"after-{name}")
    assert _kubectl("get", "pod", "app", "-o", "jsonpath={.status.phase}") == "Running"


def test_everything_killed_at_once_is_repaired() -> None:
    """After kill -9 of all components the pods still run and the cluster answers again."""
    running = [devcluster.component(name).process() for name in _NAMES]
    for process in filter(None, running):
        process.signal(signal.SIGKILL)
    _devcluster("up")
    _run_pod("after-all")


@pytest.mark.parametrize("stage", ["stop the node: done", "stop the control plane: done"])
def test_a_killed_down_is_no_obstacle(stage: str) -> None:
    """What a half-finished removal left is removed first; then a fresh cluster starts."""
    ending = _begin("down")
    assert ending.stderr is not None
    for line in ending.stderr:
        if stage in line:
            break
    ending.kill()
    ending.communicate()
    _devcluster("up")
    assert _kubectl("get", "pods", "-o", "name") == ""
    _run_pod("fresh")


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver", "kubelet"])
def test_a_killed_up_is_no_obstacle(component: str) -> None:
    """A start that was killed half-way is finished by the next one."""
    _devcluster("down")
    starting = _begin("up")
    record = default_layout().records / component
    assert wait_until(record.exists, 60, interval=0.01)
    starting.kill()
    starting.communicate()
    _devcluster("up")
    _run_pod("fresh")


def test_nothing_is_left_after_down(before: Picture) -> None:
    """No process, mount, namespace, link, rule, control group, file or setting remains."""
    _run_pod("last")
    _devcluster("down")
    assert left(before, look(default_layout().state)) == {}
    assert "no cluster was up" in _devcluster("down")


def test_nothing_is_left_after_everything_was_killed(before: Picture) -> None:
    """Shims whose containerd is gone, and the pods they hold, are ended too; so are addons."""
    _devcluster("up", *_ADDONS)
    _run_pod("orphan")
    for name in (*_NAMES, *_ADDED):
        devcluster.component(name).kill()
    _devcluster("down")
    assert left(before, look(default_layout().state)) == {}
