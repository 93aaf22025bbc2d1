"""Release Secrets that Helm would never write, and hooks that no API server would take.

Each comes with words that the canary's message must hold: the object and what is wrong with it.
"""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatewaycanary.kube.resources import Object
from unit.helmtests.objects import manifest, secret, stored_hook

SECRET = "Secret sh.helm.release.v1.shop.v1"
RELEASE = "Helm release shop"
MOST = 1024 * 1024
"""Bytes that a Secret may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Secrets of one namespace, and what is to be said of them."""

    name: str
    secrets: Sequence[Object]
    told: Sequence[str]
    failed: bool = False
    """The tests begin and fail; otherwise nothing begins."""


def raw(value: bytes, **change: Any) -> Object:
    """Give a Secret that is Helm's by its type and labels, with this in it."""
    data = {"release": base64.b64encode(value).decode()}
    return {**secret(stored_hook()), "data": data, **change}


def stored(*hooks: Object, **change: Any) -> Object:
    """Give the Secret of a release with these hooks."""
    return {**secret(*hooks), **change}


def bomb() -> bytes:
    """Give 700 MiB of spaces as gzip: the same flushed block, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(b" " * MOST) + packer.flush(zlib.Z_FULL_FLUSH)
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return base64.b64encode(header + block * 700)


def packed(text: bytes) -> bytes:
    """Give a text as Helm packs it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return base64.b64encode(packer.compress(text) + packer.flush())


def hook(text: str) -> Object:
    """Give the Secret of a release with one hook, written so."""
    return stored(stored_hook(text=text))


def pod(**spec: Any) -> Object:
    """Give the Secret of a release whose test pod has this spec."""
    return hook(json.dumps({**manifest(), "spec": spec}))


GOOD = base64.b64decode(stored(stored_hook())["data"]["release"])
CONTAINER = {"name": "test", "image": "toolbox"}
JUNK = random.Random(1).randbytes(MOST - 1000)
LIKELY = json.dumps({"name": "shop", "version": 1, "hooks": [stored_hook()]}).encode()


def _unreadable(name: str, value: bytes, told: str) -> Case:
    return Case(name=name, secrets=[raw(value)], told=(RELEASE, SECRET, told))


def _hook_unreadable(name: str, text: str, told: str) -> Case:
    words = (RELEASE, SECRET, "hook chart/templates/tests/smoke.yaml", told)
    return Case(name=name, secrets=[hook(text)], told=words)


def _refused(name: str, one: Object, told: str, *, where: str = "") -> Case:
    return Case(name=name, secrets=[stored(one)], told=(RELEASE, where or one["name"], told))


def _of_kind(kind: str, version: str) -> Case:
    text = json.dumps({**manifest(kind, "thing"), "apiVersion": version})
    one = stored_hook(kind, "thing", text=text)
    return _refused(f"a hook of kind {kind}", one, f"{version} {kind} is not supported in tests")


UNREADABLE = (
    _unreadable("no base64", b"%%%", "data.release is no whole base64"),
    _unreadable("base64 that is cut", GOOD[:-3], "data.release is no whole base64"),
    _unreadable("gzip that is cut", GOOD[: len(GOOD) // 8 * 4], "the gzip stream ends early"),
    _unreadable("JSON that is cut", packed(LIKELY[:-9]), "no readable release"),
    _unreadable("a gzip bomb", bomb(), "bytes unpacked"),
    _unreadable("lists in lists", packed(b"[" * 900_000), "more than"),
    _unreadable("lists by the million", packed(b"[" + b"[]," * 9_000_000 + b"1]"), "more than"),
    _unreadable("a mebibyte of junk", JUNK, "data.release is no whole base64"),
    _unreadable("a text of somebody's", b"password", "no readable release"),
    _unreadable("a list", packed(b"[]"), "its content is a list, not an object"),
    _unreadable("a release of nobody", packed(b'{"version":1}'), "name is missing"),
    _unreadable(
        "a weight in words",
        packed(LIKELY.replace(b'"last_run"', b'"weight": "x", "a"')),
        "weight is a text, not a whole number",
    ),
    Case(name="no data", secrets=[stored(data=None)], told=(RELEASE, SECRET, "data.release")),
    Case(
        name="another type",
        secrets=[stored(stored_hook(), type="Opaque")],
        told=(RELEASE, "no such release"),
    ),
)

YAML = (
    _hook_unreadable("no YAML", "a: [", "not readable as YAML"),
    _hook_unreadable("no object", "- a", "not a Kubernetes object"),
    _hook_unreadable(
        "aliases of aliases",
        "a: &a [x,x,x,x,x,x,x,x]\n"
        + "\n".join(
            f"a{n}: &a{n} [{','.join([f'*a{n - 1}' if n else '*a'] * 9)}]" for n in range(9)
        ),
        "values",
    ),
    _hook_unreadable(
        "merges of merges",
        "a: &a {b: 1, c: 1}\n"
        + "\n".join(
            f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}' if n else '*a'] * 9)}]}}" for n in range(9)
        ),
        "values",
    ),
    _hook_unreadable("depth", "[" * 100_000, "levels deep"),
    _hook_unreadable("documents by the thousand", "---\na: 1\n" * 100_000, "values"),
    _hook_unreadable("a text of megabytes", "a: " + "x" * 3_000_000, "characters"),
    _hook_unreadable("a tag that runs", "a: !!python/object/apply:os.abort []", "not readable"),
    _hook_unreadable("a number beyond 64 bits", "a: 99999999999999999999", "64 bits"),
)

REFUSED = (
    *(
        _of_kind(kind, version)
        for kind, version in (
            ("Widget", "example.com/v1"),
            ("Deployment", "apps/v1"),
            ("Namespace", "v1"),
            ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
            ("Pod", "v2"),
            ("GatewayCanary", "canary.soma.dev/v1alpha1"),
        )
    ),
    _refused(
        "a hook without a name", stored_hook(name="", text="apiVersion: v1"), "no name", where="Pod"
    ),
    _refused(
        "a hook elsewhere",
        stored_hook(
            text=json.dumps(
                {**manifest(), "metadata": {"name": "smoke", "namespace": "kube-system"}}
            )
        ),
        "is in namespace kube-system",
    ),
    _refused(
        "metadata that is a list",
        stored_hook(text=json.dumps({**manifest(), "metadata": []})),
        "has no metadata",
    ),
    _refused(
        "a pod without containers",
        stored_hook(text=json.dumps({**manifest(), "spec": {}})),
        "has no containers",
    ),
    _refused(
        "a record that says another kind",
        stored_hook("ConfigMap", text=json.dumps(manifest())),
        "kind is Pod, and ConfigMap in the release's record",
    ),
    _refused(
        "a record that says another name",
        stored_hook("ConfigMap", "other", text=json.dumps(manifest("ConfigMap", "one"))),
        "metadata.name is one, and other in the release's record",
    ),
    Case(
        name="too many hooks",
        secrets=[stored(*(stored_hook(name=f"t{n}") for n in range(300)))],
        told=(RELEASE, "more than 200 test hooks"),
    ),
    Case(name="no tests", secrets=[stored()], told=(RELEASE, "has no test Pod or Job")),
)


def _fails(name: str, one: Object, *told: str) -> Case:
    return Case(name=name, secrets=[one], told=told, failed=True)


FAILING = (
    _fails("containers that are text", pod(containers=["a"]), "smoke"),
    _fails("containers that are null", pod(containers=[None]), "smoke"),
    _fails("a container without a name", pod(containers=[{"image": "a"}]), "smoke", "name"),
    _fails("volumes that are text", pod(containers=[CONTAINER], volumes="a"), "smoke", "volumes"),
    _fails(
        "an env that is an object",
        pod(containers=[{**CONTAINER, "env": {"A": "b"}}], restartPolicy="?"),
        "smoke",
        "restartPolicy",
    ),
    _fails(
        "init containers that are text",
        pod(containers=[CONTAINER], initContainers="a"),
        "smoke",
        "initContainers",
    ),
    _fails("host aliases of numbers", pod(containers=[CONTAINER], hostAliases=[7]), "smoke"),
    _fails(
        "a node that is a list", pod(containers=[CONTAINER], nodeName=["a"]), "smoke", "nodeName"
    ),
    _fails(
        "labels of numbers",
        hook(json.dumps({**manifest(), "metadata": {"name": "smoke", "labels": {"a": 7}}})),
        "smoke",
        "labels",
    ),
    _fails("a name beyond its limit", stored(stored_hook(name="a" * 300)), "ran out of time"),
    _fails("a name in capitals", stored(stored_hook(name="Smoke Test")), "Smoke Test"),
)
