"""Where the cluster is found, and how credentials stay fresh without a timer."""

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import incluster_config

from gatewaycanary.kube import connection
from gatewaycanary.kube.connection import Connection, connect
from gatewaycanary.kube.errors import SpecError
from unit.kube.virtual_time import now, virtual

Write = Callable[..., str]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no cluster or proxy of this machine be found."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Write:
    """Return a function that writes a kubeconfig and gives its path."""

    def write(user: dict[str, Any], **cluster: Any) -> str:
        path = tmp_path / "kubeconfig"
        config = {
            "current-context": "main",
            "contexts": [
                {"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "team"}},
                {"name": "other", "context": {"cluster": "c", "user": "u"}},
            ],
            "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443/", **cluster}}],
            "users": [{"name": "u", "user": user}],
        }
        path.write_text(yaml.safe_dump(config))
        return str(path)

    return write


@virtual
async def test_a_named_kubeconfig(kubeconfig: Write) -> None:
    """Server, names, trust and token are what the file says."""
    path = kubeconfig(
        {"token": "t"}, **{"tls-server-name": "kube", "insecure-skip-tls-verify": True}
    )
    found = await connect(kubeconfig=path)
    assert (found.server, found.namespace) == ("https://10.0.0.1:6443", "team")
    assert (found.tls_server_name, found.insecure, found.proxy) == ("kube", True, None)
    assert await found.authorization() == "Bearer t"


@virtual
async def test_the_environment_names_the_kubeconfig(
    kubeconfig: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KUBECONFIG is read when we connect, not when a module was imported."""
    monkeypatch.setenv("KUBECONFIG", kubeconfig({}))
    assert (await connect()).server == "https://10.0.0.1:6443"
    assert (await connect(context="other")).namespace == "default"


@virtual
async def test_client_certificates(kubeconfig: Write, tmp_path: Path) -> None:
    """A certificate is a file; without a token no header is sent."""
    for name in ("ca", "crt", "key"):
        (tmp_path / name).write_text(name)
    user = {"client-certificate": str(tmp_path / "crt"), "client-key": str(tmp_path / "key")}
    path = kubeconfig(user, **{"certificate-authority": str(tmp_path / "ca")})
    found = await connect(kubeconfig=path)
    assert found.ca_path == str(tmp_path / "ca")
    assert found.certificate_path == str(tmp_path / "crt")
    assert found.private_key_path == str(tmp_path / "key")
    assert not found.insecure
    assert await found.authorization() is None


@virtual
@pytest.mark.parametrize("refused", [False, True])
async def test_a_rotated_token_is_taken_up(
    kubeconfig: Write, tmp_path: Path, refused: bool
) -> None:
    """After a minute, or at once when the server has refused the old one."""
    token = tmp_path / "token"
    token.write_text("old")
    found = await connect(kubeconfig=kubeconfig({"tokenFile": str(token)}))
    token.write_text("new")
    assert await found.authorization() == "Bearer old"
    if refused:
        found.expire()
    else:
        await asyncio.sleep(60)
    assert await found.authorization() == "Bearer new"


async def test_an_exec_plugin_is_run_again_when_its_token_is_refused(
    kubeconfig: Write, tmp_path: Path
) -> None:
    """Once a connection, and once more when needed, however many ask at that moment."""
    runs, plugin = tmp_path / "runs", tmp_path / "plugin"
    version = "client.authentication.k8s.io/v1"
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": "TOKEN"}}
    plugin.write_text(
        f"#!/bin/sh\necho run >> {runs}\n"
        f"echo '{json.dumps(answer)}' | sed s/TOKEN/token-$(wc -l < {runs})/\n"
    )
    plugin.chmod(stat.S_IRWXU)
    path = kubeconfig({"exec": {"apiVersion": version, "command": str(plugin)}})
    found = await connect(kubeconfig=path)
    assert await found.authorization() == "Bearer token-1"
    found.expire()
    answers = await asyncio.gather(*(found.authorization() for _ in range(5)))
    assert answers == ["Bearer token-2"] * 5


@virtual
async def test_inside_a_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The service account's token, authority and namespace."""
    for name, text in (("token", "t"), ("ca.crt", "ca"), ("namespace", "operators\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(connection, "_NAMESPACE_FILE", tmp_path / "namespace")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = await connect()
    assert (found.server, found.namespace) == ("https://10.96.0.1:443", "operators")
    assert await found.authorization() == "bearer t"
    assert found.ca_path == str(tmp_path / "ca.crt")


@virtual
async def test_no_cluster_is_a_plain_word(tmp_path: Path) -> None:
    """A missing or broken kubeconfig is something that somebody must change."""
    with pytest.raises(SpecError, match=r"no kubeconfig ~/\.kube/config, and this is no pod"):
        await connect()
    with pytest.raises(SpecError, match=r"no kubeconfig .*nowhere"):
        await connect(kubeconfig=str(tmp_path / "nowhere"))
    for text in ("contexts: [", "just words", "contexts: 5", "[]", ""):
        (tmp_path / "broken").write_text(text)
        with pytest.raises(SpecError, match="no way to the cluster"):
            await connect(kubeconfig=str(tmp_path / "broken"))


@virtual
async def test_proxies(kubeconfig: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubeconfig's proxy counts before the environment's, which knows exceptions."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    assert (await connect(kubeconfig=kubeconfig({}))).proxy == "http://proxy:1"
    named = kubeconfig({}, **{"proxy-url": "http://proxy:2"})
    assert (await connect(kubeconfig=named)).proxy == "http://proxy:2"
    monkeypatch.setenv("NO_PROXY", "10.0.0.1")
    assert (await connect(kubeconfig=kubeconfig({}))).proxy is None


@virtual
async def test_a_pool_looks_for_nothing_at_each_request() -> None:
    """Neither netrc nor proxy is asked for in a thread, and no cookie is kept."""
    assert now() == 0.0
    session = Connection(Configuration(host="http://127.0.0.1:1")).open_session()
    assert not session.trust_env
    await session.close()
