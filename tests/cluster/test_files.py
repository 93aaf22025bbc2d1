"""Configuration is written below the state directory and agrees with itself."""

import base64
import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from devcluster import certificates, files, flags, settings
from devcluster.layout import Layout, state_directory


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Lay out a state directory that holds keys and configuration."""
    made = Layout(tmp_path_factory.mktemp("state"))
    certificates.ensure(made.pki)
    files.write(files.contents(made))
    return made


def test_addresses_fit_each_other() -> None:
    """Node and pods share a network that has room for every pod; services have another."""
    pods, services = ip_network(settings.POD_CIDR), ip_network(settings.SERVICE_CIDR)
    assert ip_address(settings.NODE_IP) in pods
    assert ip_address(settings.DNS_IP) in services
    assert services[1] == ip_address(settings.KUBERNETES_SERVICE_IP)
    assert not pods.overlaps(services)
    free = pods.num_addresses - 11
    assert 250 <= settings.MAX_PODS <= free


def test_ports_are_distinct() -> None:
    """No two programs listen on the same port."""
    ports = [value for name, value in vars(settings).items() if name.endswith("_PORT")]
    assert len(set(ports)) == len(ports)


def test_everything_is_below_the_state_directory(layout: Layout) -> None:
    """No configuration file lies elsewhere, and none is readable by others."""
    for path in files.contents(layout):
        assert path.is_relative_to(layout.state)
        assert path.stat().st_mode & 0o077 == 0


def test_a_kubeconfig_carries_its_credentials(layout: Layout) -> None:
    """It can be copied elsewhere: nothing in it is a path."""
    config = json.loads(layout.kubeconfig.read_text())
    user = config["users"][0]["user"]
    certificate = base64.b64decode(user["client-certificate-data"])
    assert certificate == (layout.pki / "admin.crt").read_bytes()
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"


def test_certificates_are_made_once(layout: Layout) -> None:
    """A complete set stays; one with a part missing is made anew as a whole."""
    authority = (layout.pki / "ca.crt").read_bytes()
    certificates.ensure(layout.pki)
    assert (layout.pki / "ca.crt").read_bytes() == authority


def test_a_kubelet_certificate_is_valid_for_the_node_address() -> None:
    """Logs and exec go by address, so the address is what is certified."""
    kubelet = next(i for i in certificates.IDENTITIES if i.file == "kubelet-serving")
    assert f"IP:{settings.NODE_IP}" in certificates.extensions(kubelet)


def test_the_audit_log_tells_each_request_once(layout: Layout) -> None:
    """Metadata of every request, at its answer only."""
    policy = json.loads((layout.etc / "audit-policy.yaml").read_text())
    assert policy["rules"] == [{"level": "Metadata"}]
    assert policy["omitStages"] == ["RequestReceived"]


def test_the_control_plane_is_not_told_to_listen_everywhere(layout: Layout) -> None:
    """Only the API server listens on all interfaces, and the host's filter closes those."""
    for name, program in flags.programs(layout).items():
        open_to_all = [word for word in program.argv if "0.0.0.0" in word]
        assert open_to_all == (["--bind-address=0.0.0.0"] if name == "kube-apiserver" else [])


def test_the_state_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable names it; else root and others have their usual places."""
    monkeypatch.setenv("GATEWAYCANARY_CLUSTER_STATE", str(tmp_path / "here"))
    assert state_directory() == tmp_path / "here"
    monkeypatch.delenv("GATEWAYCANARY_CLUSTER_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert state_directory() == tmp_path / "gatewaycanary-cluster"
