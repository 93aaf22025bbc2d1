"""What the cluster changes about the machine itself, and how it is put back.

A bridge for the node and its pods, one packet filter table that closes the
control plane to other machines, kernel settings, and directories that
components insist on. How it was found is written down before the first
change, once for a cluster's life, so that a second start does not mistake our
settings for the user's.
"""

import json
import subprocess
from pathlib import Path

from devcluster import traces
from devcluster.errors import ClusterError
from devcluster.layout import Layout
from devcluster.settings import API_PORT, BRIDGE, KUBELET_PORT, NODE_IP, POD_PREFIX, SERVICE_CIDR

_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    # Replies between pods of one bridge must pass the translation that the request passed.
    "net.bridge.bridge-nf-call-iptables": "1",
    # A watcher for each container: the default of 128 instances is for a desktop.
    "fs.inotify.max_user_instances": "8192",
    "fs.inotify.max_user_watches": "524288",
}
# Changed by the kubelet and kube-proxy; only to be put back.
_CHANGED_BY_OTHERS = (
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.keys.root_maxkeys",
    "kernel.keys.root_maxbytes",
    "net.ipv4.conf.all.route_localnet",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
)

FILTER_TABLE = "gatewaycanary"
_PROXY_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))

_FILTER = f"""table inet {FILTER_TABLE}
delete table inet {FILTER_TABLE}
table inet {FILTER_TABLE} {{
    chain input {{
        type filter hook input priority filter - 5; policy accept;
        iifname != {{ "lo", "{BRIDGE}" }} tcp dport {{ {API_PORT}, {KUBELET_PORT} }} drop
    }}
}}
"""


def run(*argv: str, stdin: str = "") -> str:
    """Run a program to its end; raise with its own words when it fails."""
    done = subprocess.run(argv, input=stdin, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise ClusterError(f"{' '.join(argv)} failed: {said}")
    return done.stdout


def attempt(*argv: str) -> None:
    """Run a program whose failure means that there was nothing to do."""
    subprocess.run(argv, check=False, capture_output=True)


def _setting(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def _read(name: str) -> str | None:
    try:
        return _setting(name).read_text().strip()
    except OSError:
        return None


def _write(name: str, value: str) -> None:
    if _read(name) in (None, value):
        return
    try:
        _setting(name).write_text(value)
    except OSError as error:
        raise ClusterError(f"kernel setting {name} cannot be set to {value}: {error}") from error


def prepare(layout: Layout) -> None:
    """Set up bridge, filter and kernel settings; harmless when they are."""
    if not layout.host_before.exists():
        _remember(layout)
    for name, value in _SYSCTLS.items():
        _write(name, value)
    if not (Path("/sys/class/net") / BRIDGE).exists():
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "replace", f"{NODE_IP}/{POD_PREFIX}", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    # A machine without a default route would refuse service addresses before they are translated.
    run("ip", "route", "replace", SERVICE_CIDR, "dev", BRIDGE)
    run("nft", "-f", "-", stdin=_FILTER)


def restore(layout: Layout) -> None:
    """Take the machine back to how it was found."""
    attempt("ip", "link", "delete", BRIDGE)
    for family, table in (("inet", FILTER_TABLE), *_PROXY_TABLES):
        attempt("nft", "delete", "table", family, table)
    try:
        before = json.loads(layout.host_before.read_text())
    except (OSError, ValueError):
        return
    for name, value in before["settings"].items():
        _write(name, value)
    traces.remove(layout, [Path(path) for path in before["absent"]])


def _remember(layout: Layout) -> None:
    settings = {name: _read(name) for name in (*_SYSCTLS, *_CHANGED_BY_OTHERS)}
    found = {
        "settings": {name: value for name, value in settings.items() if value is not None},
        "absent": [str(path) for path in traces.DIRECTORIES if not path.exists()],
    }
    written = layout.host_before.with_suffix(".new")
    written.write_text(json.dumps(found, indent=2))
    written.rename(layout.host_before)
