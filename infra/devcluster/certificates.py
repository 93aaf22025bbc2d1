"""Keys and certificates: one authority, a leaf for each identity.

Who somebody is, is in the certificate's subject (common name is the user,
organisation the group); what they may do is RBAC's. Everything is made once
for a state directory and again when any part is missing.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.settings import CLUSTER_DOMAIN, KUBERNETES_SERVICE_IP, NODE, NODE_IP

_DAYS = "3650"


@dataclass(frozen=True, slots=True)
class Identity:
    """Name a certificate's file, user and group, and the names it serves under."""

    file: str
    user: str
    group: str = ""
    serves: tuple[str, ...] = ()

    def subject(self) -> str:
        """Write the subject as openssl takes it."""
        return (f"/O={self.group}" if self.group else "") + f"/CN={self.user}"


_API_NAMES = (
    "DNS:localhost",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    f"DNS:kubernetes.default.svc.{CLUSTER_DOMAIN}",
    "IP:127.0.0.1",
    f"IP:{NODE_IP}",
    f"IP:{KUBERNETES_SERVICE_IP}",
)

IDENTITIES = (
    Identity("apiserver", "kube-apiserver", serves=_API_NAMES),
    Identity("apiserver-kubelet", "kube-apiserver", "system:masters"),
    Identity("kubelet-serving", NODE, serves=(f"DNS:{NODE}", f"IP:{NODE_IP}")),
    Identity("admin", "kubernetes-admin", "system:masters"),
    Identity("kube-controller-manager", "system:kube-controller-manager"),
    Identity("kube-scheduler", "system:kube-scheduler"),
    Identity("kubelet", f"system:node:{NODE}", "system:nodes"),
    Identity("kube-proxy", "system:kube-proxy"),
    Identity("coredns", "devcluster:coredns"),
    Identity("traefik", "devcluster:traefik"),
    Identity("traefik-gateway-api", "devcluster:traefik-gateway-api"),
    Identity("istiod", "devcluster:istiod"),
    Identity("kwok", "devcluster:kwok", "system:masters"),
)


def extensions(identity: Identity) -> str:
    """Write the certificate extensions of a leaf."""
    lines = [
        "[req]",
        "distinguished_name = dn",
        "[dn]",
        "[leaf]",
        "basicConstraints = critical, CA:FALSE",
        "keyUsage = critical, digitalSignature",
        "extendedKeyUsage = " + ("serverAuth" if identity.serves else "clientAuth"),
    ]
    if identity.serves:
        lines.append("subjectAltName = " + ", ".join(identity.serves))
    return "\n".join(lines) + "\n"


def ensure(pki: Path) -> None:
    """Make all keys and certificates, unless all are there."""
    done = pki / "complete"
    if done.exists() and done.read_text() == _described():
        return
    shutil.rmtree(pki, ignore_errors=True)
    pki.mkdir(parents=True, mode=0o700)
    _authority(pki)
    _openssl("genpkey", "-algorithm", "RSA", "-out", str(pki / "service-accounts.key"))
    for identity in IDENTITIES:
        _leaf(pki, identity)
    done.write_text(_described())


def _described() -> str:
    return "\n".join(map(repr, IDENTITIES))


_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _authority(pki: Path) -> None:
    config = pki / "ca.cnf"
    config.write_text(
        "[req]\ndistinguished_name = dn\n[dn]\n[ca]\n"
        "basicConstraints = critical, CA:TRUE\n"
        "keyUsage = critical, keyCertSign, cRLSign, digitalSignature\n"
        "subjectKeyIdentifier = hash\n"
    )
    _request(pki, "ca", "/CN=devcluster", "ca")


def _leaf(pki: Path, identity: Identity) -> None:
    (pki / f"{identity.file}.cnf").write_text(extensions(identity))
    signer = ("-CA", str(pki / "ca.crt"), "-CAkey", str(pki / "ca.key"))
    _request(pki, identity.file, identity.subject(), "leaf", *signer)


def _request(pki: Path, name: str, subject: str, section: str, *signer: str) -> None:
    files = ("-keyout", str(pki / f"{name}.key"), "-out", str(pki / f"{name}.crt"))
    form = ("-config", str(pki / f"{name}.cnf"), "-extensions", section, "-subj", subject)
    _openssl("req", "-x509", "-new", *_EC, "-days", _DAYS, *form, *files, *signer)


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
